"""What the database refuses, derives and freezes, whoever writes to it."""

from __future__ import annotations

import zoneinfo
from contextlib import suppress
from datetime import date
from decimal import Decimal
from uuid import UUID

import pytest
from django.core.exceptions import ValidationError
from django.db import DataError, connection, transaction
from django.db.models import ProtectedError

from omneo.db import validate_timezone
from profiles.models import (
    Currency,
    FormerName,
    Identity,
    Profile,
    ProfileAddress,
    ProfileTier,
    Transaction,
    TransactionItem,
)
from tests.database import refused_by
from tests.editing import edit
from tests.factories import (
    BrandFactory,
    CurrencyFactory,
    IdentityFactory,
    LocationFactory,
    ProfileAddressFactory,
    ProfileFactory,
    ProfileTierFactory,
    TierFactory,
    TransactionFactory,
    TransactionItemFactory,
    utc,
)

pytestmark = pytest.mark.django_db


class TestProfile:
    def test_emails_are_unique_in_any_case(self):
        ProfileFactory(email="Ada@Example.com")

        with refused_by("profile_email"):
            ProfileFactory(email="ada@example.COM")

    def test_several_profiles_may_have_no_email_and_no_number(self):
        ProfileFactory()
        ProfileFactory()

        assert Profile.objects.filter(email=None, mobile_phone=None).count() == 2

    def test_mobile_numbers_are_unique(self):
        ProfileFactory(mobile_phone="+61400000000")

        with refused_by("mobile_phone"):
            ProfileFactory(mobile_phone="+61400000000")

    def test_nobody_referred_themselves(self):
        profile = ProfileFactory()
        profile.referred_by = profile

        with refused_by("profile_not_referred_by_itself"):
            profile.save()

    def test_a_referred_profile_outlives_who_referred_it(self):
        referrer = ProfileFactory()
        referred = ProfileFactory(referred_by=referrer)
        referrer.delete()

        referred.refresh_from_db()

        assert referred.referred_by is None

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("birth_day", 0),
            ("birth_day", 32),
            ("birth_month", 0),
            ("birth_month", 13),
            ("birth_year", 1899),
            ("birth_year", 2101),
        ],
    )
    def test_birthdays_are_in_the_calendar(self, field, value):
        with refused_by(f"profile_{field}"):
            ProfileFactory(**{field: value})

    def test_a_birthday_may_be_known_in_part(self):
        profile = ProfileFactory(birth_day=29, birth_month=2)

        assert (profile.birth_day, profile.birth_year) == (29, None)

    @pytest.mark.parametrize("day", ["0001-01-01", "1899-12-31", "2200-01-02", "9999-12-31"])
    def test_joined_within_memory_or_foreseeable_future(self, day):
        with refused_by("profile_joined_at_in_range"):
            ProfileFactory(joined_at=utc(day))

    def test_is_shown_by_its_name_else_its_email_else_its_id(self):
        profile = ProfileFactory()
        assert str(profile) == str(profile.id)
        profile.email = "ada@example.com"
        assert str(profile) == "ada@example.com"
        profile.last_name = "Lovelace"
        assert str(profile) == "Lovelace"
        profile.first_name = "Ada"
        assert str(profile) == "Ada Lovelace"

    def test_takes_its_whole_history_along_when_deleted(self):
        profile = ProfileFactory()
        TransactionItemFactory(transaction=TransactionFactory(profile=profile))
        IdentityFactory(profile=profile)
        ProfileAddressFactory(profile=profile)
        ProfileTierFactory(profile=profile)

        profile.delete()

        for model in (Transaction, TransactionItem, Identity, ProfileAddress, ProfileTier):
            assert model.objects.count() == 0

    def test_keeps_the_locations_that_it_names(self):
        location = LocationFactory()
        ProfileFactory(joined_location=location)

        with pytest.raises(ProtectedError):
            location.delete()


class TestIdentity:
    def test_an_identifier_is_one_profiles_in_the_whole_system(self):
        IdentityFactory(handle="loyalty", identifier="7")

        with refused_by("identity_once"):
            IdentityFactory(handle="loyalty", identifier="7")

    def test_an_identifier_may_mean_someone_else_in_another_system(self):
        IdentityFactory(handle="loyalty", identifier="7")

        assert IdentityFactory(handle="shopify", identifier="7").pk


def former_names() -> set[tuple[UUID, str, str]]:
    return set(FormerName.objects.values_list("profile_id", "handle", "identifier"))


class TestFormerName:
    """The database notes what a profile was called, whoever takes the name from it."""

    @pytest.mark.parametrize(
        ("name", "before"), [("email", "ada@example.com"), ("mobile_phone", "+61400000000")]
    )
    @pytest.mark.parametrize("after", [None, "b@example.com"])
    def test_of_a_profile_that_is_updated(self, name, before, after):
        profile = ProfileFactory(**{name: before})

        Profile.objects.filter(pk=profile.pk).update(**{name: after})

        assert former_names() == {(profile.pk, name, before)}

    def test_of_a_profile_that_is_saved(self):
        profile = ProfileFactory(email="Ada@example.com", mobile_phone="+61400000000")

        edit(profile, email="b@example.com", mobile_phone=None)

        assert former_names() == {
            (profile.pk, "email", "ada@example.com"),
            (profile.pk, "mobile_phone", "+61400000000"),
        }

    def test_of_an_identity_that_raw_sql_deletes(self):
        identity = IdentityFactory(handle="card", identifier="7")

        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM profiles_identity")

        assert former_names() == {(identity.profile_id, "card", "7")}

    @pytest.mark.parametrize(
        "change",
        [
            {"handle": "shopify"},
            {"identifier": "8"},
            {"profile": lambda: ProfileFactory()},
        ],
        ids=lambda change: next(iter(change)),
    )
    def test_of_an_identity_that_is_updated(self, change):
        identity = IdentityFactory(handle="card", identifier="7")
        values = {name: to() if callable(to) else to for name, to in change.items()}

        Identity.objects.update(**values)

        assert former_names() == {(identity.profile_id, "card", "7")}

    def test_is_noted_once(self):
        profile = ProfileFactory()
        for email in ("a@example.com", "b@example.com", "A@example.com", "b@example.com"):
            edit(profile, email=email)

        assert former_names() == {
            (profile.pk, "email", "a@example.com"),
            (profile.pk, "email", "b@example.com"),
        }

    def test_is_none_where_nothing_but_the_case_of_an_email_changes(self):
        profile = ProfileFactory(email="ada@example.com", mobile_phone="+61400000000")
        identity = IdentityFactory(profile=profile)

        edit(profile, email="Ada@Example.com", first_name="Ada")
        edit(identity, is_primary=True)

        assert former_names() == set()

    def test_is_none_where_there_was_no_name(self):
        edit(ProfileFactory(), email="ada@example.com", mobile_phone="+61400000000")

        assert former_names() == set()


class TestAddress:
    def test_one_at_most_is_the_default(self):
        profile = ProfileFactory()
        ProfileAddressFactory(profile=profile, is_default=True)

        with refused_by("profile_one_default_address"):
            ProfileAddressFactory(profile=profile, is_default=True)

    def test_others_beside_the_default_and_of_other_profiles_are_welcome(self):
        profile = ProfileFactory()
        ProfileAddressFactory(profile=profile, is_default=True)
        ProfileAddressFactory(profile=profile)
        ProfileAddressFactory(profile=profile)
        ProfileAddressFactory(is_default=True)

        assert profile.addresses.count() == 3


class TestCurrency:
    @pytest.mark.parametrize("rate", ["0", "-1.5"])
    def test_its_rate_is_above_0(self, rate):
        with refused_by("currency_rate_above_0"):
            CurrencyFactory(rate=rate)

    @pytest.mark.parametrize("code", ["eur", "EU", "E1R"])
    def test_its_codes_are_three_capitals(self, code):
        with refused_by("currency_codes"):
            CurrencyFactory(from_code=code)

    def test_a_pair_has_one_rate(self):
        CurrencyFactory(from_code="EUR", to_code="USD")

        with refused_by("currency_once"):
            CurrencyFactory(from_code="EUR", to_code="USD")

    def test_a_new_installation_has_its_system_currency(self):
        system = Currency.objects.get(is_system=True)

        assert (system.from_code, system.to_code, system.rate) == ("USD", "USD", 1)

    def test_there_is_no_second_system_currency(self):
        with refused_by("currency_one_system"):
            CurrencyFactory(is_system=True)

    def test_the_system_currencys_rate_is_1(self):
        with refused_by("currency_system_rate_is_1"):
            Currency.objects.filter(is_system=True).update(rate=2)

    def test_that_a_transaction_names_cannot_be_deleted(self):
        currency = CurrencyFactory()
        TransactionFactory(currency=currency)

        with pytest.raises(ProtectedError):
            currency.delete()


class TestTier:
    @pytest.mark.parametrize("period", [-1, 36_501])
    def test_its_period_is_neither_negative_nor_endless(self, period):
        with refused_by("tier_period"):
            TierFactory(period=period, period_type="days")

    @pytest.mark.parametrize(
        "facts", [{"period": 1}, {"period_type": "days"}, {"period": 1, "period_type": "eons"}]
    )
    def test_its_period_has_a_unit(self, facts):
        with refused_by("tier_period_and_unit"):
            TierFactory(**facts)

    def test_handles_are_unique(self):
        TierFactory(handle="gold")

        with refused_by("handle"):
            TierFactory(handle="gold")

    def test_that_was_held_cannot_be_deleted(self):
        holding = ProfileTierFactory()

        with pytest.raises(ProtectedError):
            holding.tier.delete()


class TestTierExpiry:
    @pytest.mark.parametrize(
        ("period", "unit", "expiry"),
        [
            (10, "days", "2024-02-10 08:00"),
            (2, "weeks", "2024-02-14 08:00"),
            (1, "months", "2024-02-29 08:00"),
            (13, "months", "2025-02-28 08:00"),
            (1, "years", "2025-01-31 08:00"),
            (0, "days", "2024-01-31 08:00"),
        ],
    )
    def test_comes_a_period_after_the_start(self, period, unit, expiry):
        tier = TierFactory(period=period, period_type=unit)

        holding = ProfileTierFactory(tier=tier, started_at=utc("2024-01-31 08:00"))

        assert holding.expires_at == utc(expiry)

    def test_of_a_tier_without_a_period_never_comes(self):
        assert ProfileTierFactory().expires_at is None

    def test_comes_at_the_absolute_expiry(self):
        tier = TierFactory(absolute_expiry=utc("2024-06-30"))

        assert ProfileTierFactory(tier=tier).expires_at == utc("2024-06-30")

    @pytest.mark.parametrize(("months", "expiry"), [(1, "2024-02-01"), (12, "2024-06-30")])
    def test_is_the_earlier_of_the_two(self, months, expiry):
        tier = TierFactory(period=months, period_type="months", absolute_expiry=utc("2024-06-30"))

        holding = ProfileTierFactory(tier=tier, started_at=utc("2024-01-01"))

        assert holding.expires_at == utc(expiry)

    def test_is_never_before_the_start(self):
        tier = TierFactory(absolute_expiry=utc("2024-06-30"))

        holding = ProfileTierFactory(tier=tier, started_at=utc("2025-01-01"))

        assert holding.expires_at == utc("2025-01-01")

    def test_that_is_given_stays(self):
        tier = TierFactory(period=1, period_type="years")

        holding = ProfileTierFactory(tier=tier, expires_at=utc("2030-01-01"))

        assert holding.expires_at == utc("2030-01-01")

    def test_does_not_follow_a_later_change_of_the_tier(self):
        tier = TierFactory(period=1, period_type="years")
        holding = ProfileTierFactory(tier=tier, started_at=utc("2024-01-01"))
        tier.period = 5
        tier.save()

        holding.save()

        assert holding.expires_at == utc("2025-01-01")

    def test_can_be_taken_away(self):
        tier = TierFactory(period=1, period_type="years")
        holding = ProfileTierFactory(tier=tier)
        holding.expires_at = None

        holding.save()

        assert ProfileTier.objects.get().expires_at is None

    def test_of_a_period_beyond_the_calendar_never_comes(self):
        tier = TierFactory(period=9999, period_type="years")

        assert ProfileTierFactory(tier=tier).expires_at is None

    def test_before_the_start_is_refused(self):
        with refused_by("profile_tier_expires_after_start"):
            ProfileTierFactory(started_at=utc("2024-01-02"), expires_at=utc("2024-01-01"))

    def test_a_removal_before_the_start_is_refused(self):
        with refused_by("profile_tier_removed_after_start"):
            ProfileTierFactory(started_at=utc("2024-01-02"), removed_at=utc("2024-01-01"))


class TestTransaction:
    def test_external_ids_are_unique(self):
        TransactionFactory(external_id="T-1")

        with refused_by("transaction_external_id"):
            TransactionFactory(external_id="T-1")

    def test_several_may_have_no_external_id(self):
        TransactionFactory()
        TransactionFactory()

        assert Transaction.objects.filter(external_id=None).count() == 2

    @pytest.mark.parametrize("day", ["0001-01-01", "1899-12-31", "2200-01-02", "9999-12-31"])
    def test_was_made_within_memory_or_foreseeable_future(self, day):
        with refused_by("transaction_transacted_at_in_range"):
            TransactionFactory(at=day)

    @pytest.mark.parametrize("rate", ["0", "-1"])
    def test_its_rate_is_above_0(self, rate):
        with refused_by("transaction_currency_rate_above_0"):
            TransactionFactory(currency=CurrencyFactory(), currency_rate=rate)

    def test_a_rate_other_than_1_needs_a_currency(self):
        with refused_by("transaction_rate_needs_currency"):
            TransactionFactory(currency_rate="0.5")

    def test_a_writer_that_forgets_the_rate_is_refused(self):
        forgetful = Transaction(profile=ProfileFactory(), total=1, shop_timezone="UTC")

        with refused_by("currency_rate"):
            Transaction.objects.bulk_create([forgetful])

    def test_a_writer_that_forgets_the_time_zone_is_refused(self):
        forgetful = Transaction(profile=ProfileFactory(), total=1, currency_rate=1)

        with pytest.raises(DataError, match='time zone "" not recognized'), transaction.atomic():
            Transaction.objects.bulk_create([forgetful])

    def test_a_writer_that_forgets_the_time_zone_in_sql_is_refused(self):
        with refused_by("shop_timezone"), connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO profiles_transaction (profile_id, total, currency_rate, systems, "
                "tags, transacted_at, is_void, meta) "
                "VALUES (%s, 1, 1, '{}', '{}', now(), false, '{}')",
                [ProfileFactory().id],
            )

    def test_a_location_with_transactions_cannot_be_deleted(self):
        location = LocationFactory()
        TransactionFactory(location=location)

        with pytest.raises(ProtectedError):
            location.delete()


class TestDerivedColumns:
    @pytest.mark.parametrize(
        ("total", "is_void", "is_purchase"),
        [("0.01", False, True), ("0", False, False), ("-1", False, False), ("5", True, False)],
    )
    def test_a_purchase_is_not_void_and_above_0(self, total, is_void, is_purchase):
        assert TransactionFactory(total=total, is_void=is_void).is_purchase is is_purchase

    def test_the_amount_is_exact(self):
        currency = CurrencyFactory(rate="0.33333333")

        row = TransactionFactory(total="-0.01", currency=currency)

        assert row.amount == Decimal("-0.0033333333")

    @pytest.mark.parametrize(
        ("systems", "channels"),
        [([], 0), (["pos"], 1), (["web"], 2), (["web", "pos"], 3), (["kiosk"], 0)],
    )
    def test_the_channels_are_bits(self, systems, channels):
        assert TransactionFactory(systems=systems).channels == channels

    def test_the_shop_date_is_cut_by_the_transactions_time_zone(self):
        location = LocationFactory(timezone="America/New_York")

        row = TransactionFactory(
            at="2025-01-01 20:00", location=location, timezone="Australia/Melbourne"
        )

        assert row.shop_date == date(2025, 1, 2)

    def test_the_shop_date_is_else_cut_by_the_locations(self):
        location = LocationFactory(timezone="America/New_York")

        row = TransactionFactory(at="2025-01-01 02:00", location=location)

        assert row.shop_date == date(2024, 12, 31)

    def test_the_shop_date_is_else_utcs(self):
        assert TransactionFactory(at="2025-01-01 23:59").shop_date == date(2025, 1, 1)

    def test_the_shop_date_follows_a_raw_update(self):
        row = TransactionFactory(at="2025-01-01 12:00")

        Transaction.objects.update(transacted_at=utc("2025-03-01 12:00"))

        row.refresh_from_db()
        assert row.shop_date == date(2025, 3, 1)

    def test_the_shop_date_follows_a_move_to_another_location(self):
        row = TransactionFactory(at="2025-01-01 20:00")
        row.location = LocationFactory(timezone="Australia/Melbourne")

        row.save()

        row.refresh_from_db()
        assert row.shop_date == date(2025, 1, 2)

    @pytest.mark.parametrize("field", ["timezone", "location"])
    def test_the_shop_date_follows_a_save_of_one_field(self, field):
        row = TransactionFactory(at="2025-01-01 20:00")
        row.timezone = "Australia/Melbourne"
        row.location = LocationFactory(timezone="Australia/Melbourne")

        row.save(update_fields=[field])

        row.refresh_from_db()
        assert row.shop_date == date(2025, 1, 2)

    def test_the_shop_date_follows_its_location_to_another_time_zone(self):
        location = LocationFactory()
        row = TransactionFactory(at="2025-01-01 20:00", location=location)
        location.timezone = "Australia/Melbourne"

        location.save()

        row.refresh_from_db()
        assert row.shop_date == date(2025, 1, 2)


class TestFrozenRate:
    def test_is_the_currencys_when_the_transaction_was_saved(self):
        row = TransactionFactory(currency=CurrencyFactory(rate="0.65"))

        row.refresh_from_db()
        assert row.currency_rate == Decimal("0.65")

    def test_is_1_without_a_currency(self):
        assert TransactionFactory().currency_rate == 1

    def test_stays_when_the_currencys_changes_and_the_transaction_is_saved_again(self):
        currency = CurrencyFactory(rate="0.65")
        row = TransactionFactory(currency=currency)
        Currency.objects.filter(pk=currency.pk).update(rate="0.70")

        row = Transaction.objects.get(pk=row.pk)
        row.total = 5
        row.save()

        row.refresh_from_db()
        assert row.currency_rate == Decimal("0.65")

    def test_is_a_new_one_when_the_transaction_names_another_currency(self):
        row = TransactionFactory(currency=CurrencyFactory(rate="0.65"))
        row.currency = CurrencyFactory(rate="1.5")

        row.save()

        row.refresh_from_db()
        assert row.currency_rate == Decimal("1.5")

    def test_is_1_again_when_the_transaction_names_none(self):
        row = TransactionFactory(currency=CurrencyFactory(rate="0.65"))
        row.currency = None

        row.save()

        row.refresh_from_db()
        assert (row.currency_rate, row.amount) == (1, 100)

    def test_follows_a_save_of_the_currency_alone(self):
        row = TransactionFactory()
        row.currency = CurrencyFactory(rate="0.65")

        row.save(update_fields=["currency"])

        row.refresh_from_db()
        assert row.currency_rate == Decimal("0.65")

    def test_that_an_import_knows_is_taken(self):
        currency = CurrencyFactory(rate="0.65")

        row = TransactionFactory(currency=currency, currency_rate=Decimal("0.71"))

        assert row.currency_rate == Decimal("0.71")


class TestItem:
    @pytest.fixture
    def item(self) -> TransactionItem:
        return TransactionItemFactory(brand=BrandFactory())

    def follows(self, item: TransactionItem) -> bool:
        """Tell whether the item in the database is of its transaction's profile and kind."""
        stored = TransactionItem.objects.select_related("transaction").get(pk=item.pk)
        return (stored.profile_id, stored.is_purchase) == (
            stored.transaction.profile_id,
            stored.transaction.is_purchase,
        )

    def test_has_its_transactions_profile_and_kind(self, item):
        assert item.profile == item.transaction.profile
        assert item.is_purchase is True

    def test_follows_its_transaction_to_another_profile(self, item):
        item.transaction.profile = ProfileFactory()
        item.transaction.save()

        assert self.follows(item)

    def test_follows_its_transaction_when_that_is_void(self, item):
        item.transaction.is_void = True
        item.transaction.save()

        assert self.follows(item)
        item.refresh_from_db()
        assert item.is_purchase is False

    def test_follows_its_transaction_when_that_becomes_a_refund(self, item):
        item.transaction.total = -1
        item.transaction.save()

        assert self.follows(item)

    def test_follows_a_raw_update_of_its_transaction(self, item):
        Transaction.objects.update(profile=ProfileFactory(), is_void=True)

        assert self.follows(item)

    def test_follows_when_it_moves_to_another_transaction(self, item):
        item.transaction = TransactionFactory(is_void=True)
        item.save()

        assert self.follows(item)

    def test_that_was_read_before_the_move_does_not_take_its_profile_back(self, item):
        Transaction.objects.update(profile=ProfileFactory(), is_void=True)

        item.name = "Socks"
        item.save()

        assert self.follows(item)

    def test_of_another_profile_than_its_transactions_is_refused(self, item):
        with refused_by("item_follows_transaction"):
            TransactionItem.objects.update(profile=ProfileFactory())

    def test_of_another_kind_than_its_transactions_is_refused(self, item):
        with refused_by("item_follows_transaction"):
            TransactionItem.objects.update(is_purchase=False)

    def test_goes_with_its_transaction(self, item):
        item.transaction.delete()

        assert TransactionItem.objects.count() == 0

    def test_keeps_its_brand(self, item):
        with pytest.raises(ProtectedError):
            item.brand.delete()


def test_every_time_zone_that_validation_accepts_is_one_of_the_databases() -> None:
    accepted = set()
    for name in zoneinfo.available_timezones():
        with suppress(ValidationError):
            validate_timezone(name)
            accepted.add(name)

    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM pg_timezone_names")
        known = {name for (name,) in cursor.fetchall()}

    assert "Australia/Melbourne" in accepted
    assert accepted - known == set()


def test_times_are_kept_to_the_microsecond() -> None:
    row = TransactionFactory(at="2025-01-01 12:00:00.123456")

    row.refresh_from_db()
    assert row.transacted_at == utc("2025-01-01 12:00:00.123456")
