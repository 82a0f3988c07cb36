"""The page of a profile shows what its history comes to, true now."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.utils import timezone as clock

from aggregations.admin.panel import Line
from aggregations.calculation import recalculate
from aggregations.models import Aggregation
from profiles.models import Profile
from tests import factories
from tests.admin.browser import submit
from tests.admin.conftest import page_of


def lines(client: Client, profile: Profile) -> dict[str, Line]:
    """Return what the panel of a profile's page shows, by its labels."""
    panel = client.get(page_of(profile)).context["aggregations"]
    return {line.label: line for _, lines in panel["subjects"] for line in lines}


def value(client: Client, profile: Profile, label: str) -> str:
    return str(lines(client, profile)[label].value)


def staff(*codenames: str) -> User:
    user = User.objects.create(username="staff", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    return user


def test_a_profile_that_was_never_calculated_has_its_values(admin_client: Client, profile: Profile):
    factories.TransactionFactory(profile=profile, total="1234.50")

    assert value(admin_client, profile, "Spend all") == "1,234.50 USD"
    assert value(admin_client, profile, "Shop count") == "1"


def test_a_value_that_the_clock_has_overtaken_is_refreshed(admin_client: Client, profile: Profile):
    now = clock.now()
    factories.TransactionFactory(profile=profile, transacted_at=now - timedelta(days=120))
    recalculate(profile_ids=[profile.pk], moment=now - timedelta(days=60))
    assert Aggregation.objects.get().dimension_recency == "RC"

    assert value(admin_client, profile, "Dimension recency") == "RS"


def test_a_line_says_what_it_means(admin_client: Client, profile: Profile):
    meaning = Aggregation._meta.get_field("spend_all").help_text

    assert lines(admin_client, profile)["Spend all"].meaning == meaning
    assert f'title="{meaning}"' in admin_client.get(page_of(profile)).content.decode()


def test_nothing_to_say_is_a_dash(admin_client: Client, profile: Profile):
    assert value(admin_client, profile, "Channel") == "–"
    assert value(admin_client, profile, "Purchased brands") == "–"


def test_a_location_leads_to_its_page(admin_client: Client, profile: Profile):
    place = factories.LocationFactory(name="Fitzroy & Co")
    factories.TransactionFactory(profile=profile, location=place)

    shown = value(admin_client, profile, "Store join")

    assert f'href="{page_of(place)}"' in shown
    assert ">Fitzroy &amp; Co<" in shown


def test_many_brands_are_folded(admin_client: Client, profile: Profile):
    purchase = factories.TransactionFactory(profile=profile)
    for number in range(13):
        brand = factories.BrandFactory(name=f"<Brand {number}>")
        factories.TransactionItemFactory(transaction=purchase, brand=brand)

    shown = value(admin_client, profile, "Purchased brands")

    assert "13 of them" in shown
    assert "<li>&lt;Brand 12&gt;</li>" in shown


def test_the_latest_purchase_is_in_its_own_currency(admin_client: Client, profile: Profile):
    currency = factories.CurrencyFactory(from_code="AUD", rate="0.5")
    factories.TransactionFactory(profile=profile, total=10, currency=currency)

    assert value(admin_client, profile, "Latest shop spend") == "10.00"
    assert ">AUD<" in value(admin_client, profile, "Latest shop currency")
    assert value(admin_client, profile, "Spend all") == "5.00 USD"


def test_it_says_whether_a_recalculation_waits(admin_client: Client, profile: Profile):
    recalculate(profile_ids=[profile.pk], moment=clock.now())
    assert "Recalculation waiting" not in admin_client.get(page_of(profile)).content.decode()

    factories.TransactionFactory(profile=profile)
    assert "Recalculation waiting" in admin_client.get(page_of(profile)).content.decode()


def test_it_stands_on_a_page_that_was_refused_too(admin_client: Client, profile: Profile):
    page = submit(admin_client, page_of(profile), email="nonsense")

    assert page.context["adminform"].form.errors
    assert page.context["aggregations"]["subjects"]


def test_a_history_that_cannot_be_calculated_leaves_the_page_open(
    admin_client: Client, profile: Profile
):
    most = 10**12 - 1
    currency = factories.CurrencyFactory(rate=10**9)
    factories.TransactionFactory(profile=profile, total=most, currency=currency)

    page = admin_client.get(page_of(profile))

    assert page.status_code == 200
    assert "overflow" in page.content.decode()


def test_who_may_not_see_aggregations_sees_no_panel(client: Client, profile: Profile):
    client.force_login(staff("view_profile"))

    page = client.get(page_of(profile))

    assert page.status_code == 200
    assert "aggregations" not in page.context
    assert "recent_transactions" not in page.context


def test_the_latest_transactions_are_listed(admin_client: Client, profile: Profile):
    now = clock.now()
    for days in range(21):
        factories.TransactionFactory(
            profile=profile, receipt_ref=f"R-{days}", transacted_at=now - timedelta(days=days)
        )

    rows = admin_client.get(page_of(profile)).context["recent_transactions"]["table"]["rows"]

    assert [f">R-{days}<" in str(row[0]) for days, row in enumerate(rows)] == [True] * 20


def test_the_list_shows_spend_and_recency(admin_client: Client, profile: Profile):
    factories.TransactionFactory(profile=profile, total="77.70", transacted_at=clock.now())
    recalculate(profile_ids=[profile.pk], moment=clock.now())

    page = admin_client.get("/admin/profiles/profile/").content.decode()

    assert "77.70" in page
    assert "RC" in page


def test_recalculating_says_that_there_are_new_values(admin_client: Client, profile: Profile):
    recalculate(profile_ids=[profile.pk], moment=clock.now())
    factories.TransactionFactory(profile=profile)

    page = admin_client.post(page_of(profile, "recalculate"), follow=True)

    assert "Recalculated. There are new values." in page.content.decode()
    assert Aggregation.objects.get().shop_count == 1


def test_recalculating_says_that_no_value_has_changed(admin_client: Client, profile: Profile):
    recalculate(profile_ids=[profile.pk], moment=clock.now())

    page = admin_client.post(page_of(profile, "recalculate"), follow=True)

    assert "Recalculated. No value has changed." in page.content.decode()


def test_recalculating_what_cannot_be_calculated_says_why(admin_client: Client, profile: Profile):
    currency = factories.CurrencyFactory(rate=10**9)
    factories.TransactionFactory(profile=profile, total=10**12 - 1, currency=currency)

    page = admin_client.post(page_of(profile, "recalculate"), follow=True)

    assert "It cannot be calculated" in page.content.decode()


def test_a_link_does_not_recalculate(admin_client: Client, profile: Profile):
    assert admin_client.get(page_of(profile, "recalculate")).status_code == 405


def test_who_may_only_see_profiles_cannot_recalculate(client: Client, profile: Profile):
    client.force_login(staff("view_profile", "view_aggregation"))

    assert client.post(page_of(profile, "recalculate")).status_code == 403
    assert "Recalculate now" not in client.get(page_of(profile)).content.decode()


@pytest.mark.parametrize("key", ["nobody", "00000000-0000-0000-0000-000000000000"])
def test_nobody_cannot_be_recalculated(admin_client: Client, db: None, key: str):
    assert admin_client.post(f"/admin/profiles/profile/{key}/recalculate/").status_code == 404
