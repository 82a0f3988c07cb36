"""A retailer made up in the database, by set-based SQL: as large as asked for, always the same.

Skewed as retailers are: few profiles buy very often (the median is four transactions, the mean
ten) and a tenth never does, few stores and brands sell most, most purchases are in the home store,
one transaction in twenty is a refund and one in a hundred void. Rows lie in order of arrival.
"""

from __future__ import annotations

from datetime import datetime

from django.db import connection, transaction

STORES, BRANDS = 300, 200

_PLACES = """
    INSERT INTO locations_location (name, external_id, timezone, is_published,
        is_permanently_closed, tags, custom_fields)
    SELECT 'Store ' || n, 'bench-' || n,
        (ARRAY['Australia/Sydney', 'Australia/Perth', 'Pacific/Auckland', 'America/New_York'])
            [1 + mod(n, 4)], true, false, '{}', '{}'
    FROM generate_series(1, %(stores)s) n;

    INSERT INTO locations_locationaddress (location_id, iso, iso_state, meta, custom_fields)
    SELECT id, left(state, 2), state, '[]', '{}'
    FROM (SELECT id, (ARRAY['AU-NSW', 'AU-VIC', 'AU-QLD', 'NZ-AUK', 'US-NY', 'AU-WA'])
              [1 + mod(id, 6)] AS state FROM locations_location) AS placed;

    INSERT INTO locations_region (name, handle) VALUES ('ANZ', 'anz'), ('Americas', 'americas');

    INSERT INTO locations_regionmember (region_id, iso)
    SELECT id, unnest(CASE handle WHEN 'anz' THEN ARRAY['AU', 'NZ'] ELSE ARRAY['US', 'CA'] END)
    FROM locations_region;

    INSERT INTO locations_brand (name, handle, meta)
    SELECT 'Brand ' || lpad(n::text, 3, '0'), 'brand-' || n, '[]'
    FROM generate_series(1, %(brands)s) n;

    INSERT INTO locations_normalhours (location_id, day_of_week, open_at, close_at)
    SELECT id, unnest(ARRAY['MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT', 'SUN']), '09:00', '17:30'
    FROM locations_location;

    INSERT INTO locations_specialhours (location_id, name, is_repeating, start_at, end_at)
    SELECT id, unnest(ARRAY['New Year', 'Christmas']), true,
        unnest(ARRAY['2025-01-01', '2025-12-25']::date[]),
        unnest(ARRAY['2025-01-01', '2025-12-26']::date[])
    FROM locations_location;

    INSERT INTO locations_department (location_id, name, handle, meta, brand_id)
    SELECT l.id, b.name, b.handle, '[]', b.id
    FROM locations_location l JOIN locations_brand b ON mod(b.id - l.id, 100) = 0;

    INSERT INTO profiles_tier (name, handle, sort_order)
    VALUES ('Gold', 'gold', 1), ('Silver', 'silver', 2), ('Bronze', 'bronze', 3);
"""

# What a number stands for: keys spread over the whole key space, as random UUIDs are.
_FUNCTIONS = """
    CREATE FUNCTION pg_temp.profile_key(n bigint) RETURNS uuid LANGUAGE sql IMMUTABLE
    AS $$ SELECT md5('profile ' || n)::uuid $$;
    CREATE FUNCTION pg_temp.skewed(draw double precision, size integer, first bigint)
    RETURNS bigint LANGUAGE sql IMMUTABLE
    AS $$ SELECT first + floor(size * draw * draw)::bigint $$;
"""

_PROFILES = """
    CREATE TEMP TABLE shopper ON COMMIT DROP AS
    SELECT n, pg_temp.profile_key(n) AS id,
        pg_temp.skewed(random(), %(stores)s, first.store) AS home,
        CASE WHEN mod(n, %(heavy_every)s) = 0 THEN 3000
             WHEN random() < 0.1 THEN 0
             ELSE least(300, 1 + floor(exp(1.35 + 1.42 * sqrt(-2 * ln(1 - random()))
                                           * cos(2 * pi() * random()))))::integer
        END AS transactions,
        %(moment)s - random() * interval '4 years' AS joined_at
    FROM generate_series(1, %(profiles)s) n,
         (SELECT min(id) AS store FROM locations_location) AS first;

    INSERT INTO profiles_profile (id, profile_type, joined_at, joined_location_id,
        preferred_location_id, referred_by_id, tags, meta)
    SELECT id, 'active', joined_at, CASE WHEN random() < 0.6 THEN home END,
        CASE WHEN random() < 0.3 THEN home END,
        CASE WHEN n > 1 AND random() < 0.05
             THEN pg_temp.profile_key(1 + floor(random() * (n - 1))::bigint) END, '{}', '{}'
    FROM shopper ORDER BY n;

    INSERT INTO profiles_profileaddress (profile_id, is_default, iso, iso_state, meta,
        custom_fields)
    SELECT s.id, true, a.iso, a.iso_state, '[]', '{}'
    FROM shopper s JOIN locations_locationaddress a ON a.location_id = s.home
    WHERE random() < 0.7;

    INSERT INTO profiles_profiletier (profile_id, tier_id, started_at)
    SELECT s.id, t.id, s.joined_at + random() * interval '1 year'
    FROM shopper s JOIN profiles_tier t ON random() < 0.2;
"""

_TRANSACTIONS = """
    INSERT INTO profiles_transaction (profile_id, external_id, location_id, total, total_original,
        currency_rate, systems, tags, shop_timezone, transacted_at, is_void, meta)
    SELECT s.id, 'bench-' || s.n || '-' || k,
        l.id,
        CASE WHEN s.kind < 0.05 THEN -round(price / 3, 2) ELSE price END,
        CASE WHEN s.kind > 0.5 THEN round(price * (1 + kind::numeric / 4), 2) END,
        1, CASE WHEN draw < 0.8 THEN ARRAY['pos'] ELSE ARRAY['web'] END, '{}', l.timezone,
        at, s.kind BETWEEN 0.05 AND 0.06, '{}'
    FROM (
        SELECT s.n, s.id, k, random() AS kind, random() AS draw,
            round((5 + 60 * random() / (0.1 + random()))::numeric, 2) AS price,
            CASE WHEN random() < 0.75 THEN s.home
                 ELSE pg_temp.skewed(random(), %(stores)s, first.store) END AS store,
            %(moment)s - random() * interval '4 years' AS at
        FROM shopper s, generate_series(1, s.transactions) k,
             (SELECT min(id) AS store FROM locations_location) AS first
    ) AS s JOIN locations_location l ON l.id = s.store
    ORDER BY at;
"""

_ITEMS = """
    INSERT INTO profiles_transactionitem (transaction_id, profile_id, is_purchase, name, sku,
        quantity, price_current, price_sell, brand_id, discounts, is_void)
    SELECT t.id, t.profile_id, t.is_purchase, 'Item', 'sku-' || (random() * 9999)::integer, 1,
        round(t.total / 3, 2), round(t.total / 3, 2),
        pg_temp.skewed(random(), %(brands)s, first.brand), '[]', false
    FROM (SELECT *, 1 + floor(4 * random())::integer AS lines FROM profiles_transaction) AS t,
         generate_series(1, t.lines) k,
         (SELECT min(id) AS brand FROM locations_brand) AS first
    ORDER BY t.id;
"""


def generate(*, profiles: int, moment: datetime) -> None:
    """Fill an empty, migrated database with a retailer of that many profiles, up to that moment."""
    parameters = {
        "profiles": profiles,
        "moment": moment,
        "stores": STORES,
        "brands": BRANDS,
        "heavy_every": max(profiles // 3, 1),
    }
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT setseed(0.42)")
        # What is made up here is consistent; to have each row's references checked takes longer
        # than all the rest.
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(_FUNCTIONS)
        for statement in (_PLACES, _PROFILES, _TRANSACTIONS, _ITEMS):
            cursor.execute(statement, parameters)
    with connection.cursor() as cursor:
        # Sets the visibility map too, as a day of autovacuum does: index-only scans rely on it.
        cursor.execute("VACUUM ANALYZE")
