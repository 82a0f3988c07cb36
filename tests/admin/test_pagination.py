"""A list of millions is neither counted nor paged to its end."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test import Client

from omneo.admin import LargeTableAdmin
from omneo.admin.pagination import BoundedPaginator
from profiles.models import Profile
from tests import factories

PROFILES = "/admin/profiles/profile/"


@pytest.fixture
def _three_profiles_of_which_two_are_reachable(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(BoundedPaginator, "REACHABLE", 2)
    monkeypatch.setattr(LargeTableAdmin, "list_per_page", 1)
    for name in ("Ada", "Grace", "Grace"):
        factories.ProfileFactory(first_name=name)


large = pytest.mark.usefixtures("_three_profiles_of_which_two_are_reachable")


def text(client: Client, **parameters: str) -> str:
    return " ".join(client.get(PROFILES, parameters).content.decode().split())


def test_a_small_table_is_counted(admin_client: Client, profile: Profile):
    assert "1 profile" in text(admin_client)
    assert "reachable of" not in text(admin_client)


@large
def test_a_large_table_ends_at_what_is_reachable(admin_client: Client):
    assert len(admin_client.get(PROFILES, {"p": 2}).context["cl"].result_list) == 1
    assert admin_client.get(PROFILES, {"p": 3})["Location"].endswith("?e=1")


@large
def test_a_large_table_says_about_how_many_rows_it_has(admin_client: Client):
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE profiles_profile")

    assert '2 profiles </div> <div class="py-4 pl-1"> reachable of about 3' in text(admin_client)


@large
def test_a_filtered_one_says_that_there_are_more(admin_client: Client):
    assert "reachable of more" in text(admin_client, profile_type__exact="active")


@large
def test_a_search_that_leaves_few_is_counted(admin_client: Client):
    assert "reachable of" not in text(admin_client, q="Grace")
