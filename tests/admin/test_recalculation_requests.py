"""Requests for recalculation: what failed is seen at a glance, and tried again before its time."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone as clock

from aggregations.models import RecalculationRequest
from aggregations.outbox import recalculate_waiting
from profiles.models import Profile
from tests import factories
from tests.admin.conftest import page_of, said, try_again, try_one_again

LIST = "/admin/aggregations/recalculationrequest/"
RECALCULATE = "aggregations.recalculate_waiting"
VIEW, RETRY = "view_recalculationrequest", "retry_recalculationrequest"


@pytest.fixture
def failing(profile: Profile) -> RecalculationRequest:
    """The request of a profile that bought for more than its row has room for."""
    huge = factories.CurrencyFactory(rate="9999999999")
    factories.TransactionFactory(profile=profile, total="999999999999.99", currency=huge)
    recalculate_waiting(moment=clock.now())
    return RecalculationRequest.objects.get()


@pytest.fixture
def waiting(db: None) -> RecalculationRequest:
    return RecalculationRequest.objects.get(profile_id=factories.ProfileFactory().pk)


def text(client: Client, path: str) -> str:
    return " ".join(client.get(path).content.decode().replace("\xa0", " ").split())


def test_a_failing_one_tells_its_error_attempts_and_next_try(
    admin_client: Client, failing: RecalculationRequest
):
    later = clock.now() + timedelta(minutes=10, seconds=30)
    RecalculationRequest.objects.update(attempts=7, retry_at=later)

    for path in (LIST, page_of(failing)):
        shown = text(admin_client, path)
        assert "numeric field overflow" in shown
        assert "7 times" in shown
        assert "in 10 minutes" in shown
        assert "Ada Lovelace" in shown


def test_a_page_shows_the_whole_error_which_the_list_shortens(
    admin_client: Client, failing: RecalculationRequest
):
    RecalculationRequest.objects.update(error="overflow " * 30 + "\nDETAIL: <too much>")

    assert "DETAIL: &lt;too much&gt;" in text(admin_client, page_of(failing))
    assert "…</a>" in text(admin_client, LIST)
    assert "DETAIL" not in text(admin_client, LIST)


@pytest.mark.parametrize("state", ["failing", "waiting"])
def test_they_are_filtered_by_whether_they_failed(
    admin_client: Client,
    failing: RecalculationRequest,
    waiting: RecalculationRequest,
    state: str,
):
    page = admin_client.get(LIST, {"state": state})

    wanted = {"failing": failing, "waiting": waiting}[state]
    assert list(page.context["cl"].result_list) == [wanted]


@pytest.mark.parametrize(
    "press", [try_one_again, lambda client, row: try_again(client, [row])], ids=["page", "list"]
)
def test_another_try_makes_it_due_and_wakes_a_worker(
    admin_client: Client, failing: RecalculationRequest, woken, press
):
    assert recalculate_waiting(moment=clock.now()) == 0

    assert woken(lambda: press(admin_client, failing)) == [RECALCULATE]

    assert recalculate_waiting(moment=clock.now()) == 1
    assert RecalculationRequest.objects.get().attempts == 2


def test_another_try_says_of_how_many_it_is(
    admin_client: Client, failing: RecalculationRequest, waiting: RecalculationRequest
):
    page = try_again(admin_client, [failing, waiting])

    assert said(page) == [
        "1 recalculation will be tried again now. Left as they are: 1 that a worker takes anyway."
    ]


def test_where_none_was_set_apart_no_worker_is_woken(
    admin_client: Client, waiting: RecalculationRequest, woken
):
    assert woken(lambda: try_again(admin_client, [waiting])) == []
    assert said(try_again(admin_client, [waiting])) == [
        "None will be tried again. Left as they are: 1 that a worker takes anyway."
    ]


def test_one_that_was_done_meanwhile_leads_back_to_the_list(
    admin_client: Client, failing: RecalculationRequest
):
    RecalculationRequest.objects.all().delete()

    page = try_one_again(admin_client, failing)

    assert said(page) == ["It is not there any more: it was tried again meanwhile."]
    assert page.redirect_chain == [(LIST, 302)]


def test_a_retry_is_never_a_mere_link(admin_client: Client, failing: RecalculationRequest):
    assert admin_client.get(page_of(failing, "try-again")).status_code == 405


def test_who_may_only_look_cannot_have_it_tried_again(staff, failing: RecalculationRequest):
    client = staff(VIEW)

    assert "Try again" not in text(client, LIST)
    assert "Try again" not in text(client, page_of(failing))
    assert try_one_again(client, failing).status_code == 403
    try_again(client, [failing])
    assert RecalculationRequest.objects.get().retry_at == failing.retry_at


def test_who_may_not_look_cannot_have_it_tried_again(staff, failing: RecalculationRequest):
    assert staff(RETRY).post(page_of(failing, "try-again")).status_code == 403
    assert RecalculationRequest.objects.get().retry_at == failing.retry_at


def test_who_has_the_permission_can_have_it_tried_again(staff, failing: RecalculationRequest):
    client = staff(VIEW, RETRY)

    assert "Try again now" in text(client, LIST)
    assert "Try again now" in text(client, page_of(failing))
    try_one_again(client, failing)

    assert RecalculationRequest.objects.get().retry_at is None


def test_one_that_waits_has_no_button(admin_client: Client, waiting: RecalculationRequest):
    assert "Try again now" not in text(admin_client, page_of(waiting))


def test_one_whose_profile_is_gone_says_so(admin_client: Client, waiting: RecalculationRequest):
    Profile.objects.all().delete()
    RecalculationRequest.objects.exclude(pk=waiting.pk).delete()

    for path in (LIST, page_of(waiting)):
        assert f"{waiting.profile_id} (gone)" in text(admin_client, path)
