from __future__ import annotations

import io
import re
import stat
from pathlib import Path
from uuid import UUID

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db.models import Count
from knox.crypto import hash_token
from pytest_django import Settings

from aggregations.models import Aggregation
from omneo.api.models import ApiToken
from profiles.models import Profile, TransactionItem
from tests.waiting import who_waits

pytestmark = pytest.mark.django_db

CURL = re.compile(
    r'curl -H "Authorization: Bearer (?P<token>\w+)" '
    r"http://127\.0\.0\.1:8123/api/v3/profiles/(?P<profile>[0-9a-f-]+)/aggregations"
)


@pytest.fixture(autouse=True)
def var(settings: Settings, tmp_path: Path) -> Path:
    settings.VAR_DIR = tmp_path / "var"
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    return settings.VAR_DIR


def prepare(*, households: int = 3) -> str:
    output = io.StringIO()
    call_command(
        "prepare_demo",
        base_url="http://127.0.0.1:8123",
        households=households,
        stdout=output,
        stderr=io.StringIO(),
    )
    return output.getvalue()


def printed_token(summary: str) -> ApiToken:
    return ApiToken.objects.get(digest=hash_token(CURL.search(summary)["token"]))


def test_it_loads_the_demo_data_and_calculates_it():
    prepare()

    assert Aggregation.objects.filter(shop_count__gt=0).count() == 3
    assert who_waits() == set()


def test_it_says_how_much_it_loaded_and_how_to_load_the_rest():
    summary = prepare()

    assert "3 of 2,469 households" in summary
    assert "manage.py load_completejourney" in summary


def test_it_makes_the_admin_login_and_says_it():
    summary = prepare()

    assert "http://127.0.0.1:8123/admin/  user admin, password admin" in summary
    admin = User.objects.get(username="admin")
    assert admin.is_superuser
    assert admin.check_password("admin")


def test_a_password_that_was_changed_stays_and_is_not_said_to_be_another():
    prepare()
    admin = User.objects.get(username="admin")
    admin.set_password("better than that")
    admin.save()

    assert "password admin" not in prepare()
    assert User.objects.get(username="admin").check_password("better than that")


def test_the_curl_line_has_a_good_token_and_the_profile_with_most_purchases():
    summary = prepare()

    busiest = Profile.objects.annotate(count=Count("transactions")).order_by("-count").first()
    assert printed_token(summary).name == "demo"
    assert UUID(CURL.search(summary)["profile"]) == busiest.pk


def test_the_next_start_prints_the_same_and_loads_nothing():
    first = prepare()
    items = TransactionItem.objects.count()

    assert prepare() == first
    assert TransactionItem.objects.count() == items


def test_what_was_deleted_since_is_not_brought_back():
    prepare()
    Profile.objects.get(identities__identifier="1").delete()

    prepare()

    assert not Profile.objects.filter(identities__identifier="1").exists()


def test_a_loading_that_was_stopped_is_completed():
    prepare(households=2)

    prepare(households=3)

    assert Profile.objects.count() == 3


def test_the_token_is_kept_where_only_its_owner_reads_it(var: Path):
    summary = prepare()

    file = var / "demo-token"
    assert file.read_text().strip() == CURL.search(summary)["token"]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_lost_token_is_replaced(var: Path):
    first = prepare()
    (var / "demo-token").unlink()

    second = prepare()

    assert printed_token(second)
    assert second != first
    assert ApiToken.objects.count() == 1


def test_a_revoked_token_is_replaced():
    prepare()
    ApiToken.objects.all().delete()

    assert printed_token(prepare())


def test_it_refuses_less_than_one_household():
    with pytest.raises(CommandError, match="--households must be 1 or more"):
        prepare(households=0)
