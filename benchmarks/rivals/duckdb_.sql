CREATE TABLE finished AS
WITH purchases AS (
    SELECT
        profile_id,
        count(*) FILTER (is_purchase) AS shop_count,
        count(*) FILTER (is_purchase AND transacted_at > $since_12m) AS shop_count_12m,
        sum(amount) AS spend_all,
        sum(amount) FILTER (transacted_at > $since_12m) AS spend_12m,
        avg(round((total_original - total) * 100 / total_original, 10))
            FILTER (is_purchase AND total_original > 0) AS discount_avg,
        min(transacted_at) AS first_at,
        max(transacted_at) AS last_at,
        max(transacted_at) FILTER (is_purchase) AS latest_at,
        bit_or(channels) FILTER (is_purchase) AS channels,
        list_sort(list(DISTINCT shop_date) FILTER (is_purchase)) AS shop_dates,
        arg_max({'total': total, 'currency': currency_id}, (transacted_at, id))
            FILTER (is_purchase) AS latest,
        arg_min(location_id, (transacted_at, id)) FILTER (is_purchase) AS first_place,
        arg_max(location_id, (transacted_at, id)) FILTER (is_purchase) AS latest_place
    FROM transactions
    GROUP BY profile_id
),
places AS MATERIALIZED (
    SELECT
        profile_id,
        location_id,
        sum(amount) AS spend,
        sum(amount) FILTER (transacted_at > $since_12m) AS spend_12m,
        count(*) FILTER (is_purchase) AS purchases,
        count(*) FILTER (is_purchase AND transacted_at > $since_24m) AS purchases_24m,
        count(*) FILTER (is_purchase AND transacted_at > $since_6m) AS purchases_6m,
        coalesce(max(transacted_at) FILTER (is_purchase), '-infinity'::TIMESTAMPTZ) AS latest_at
    FROM transactions
    WHERE location_id IS NOT NULL
    GROUP BY profile_id, location_id
),
favourites AS (
    SELECT
        profile_id,
        coalesce(
            arg_max(location_id, (purchases_24m, latest_at, -location_id))
                FILTER (purchases_24m > 0),
            arg_max(location_id, (purchases, latest_at, -location_id)) FILTER (purchases > 0)
        ) AS most_transacted_location_id,
        arg_max(location_id, (spend, latest_at, -location_id)) FILTER (spend > 0)
            AS most_spend_location_id,
        arg_max(location_id, (spend_12m, latest_at, -location_id)) FILTER (spend_12m > 0)
            AS most_spend_12m_location_id,
        list_sort(list(DISTINCT name) FILTER (purchases > 0)) AS transacted_locations
    FROM places JOIN locations USING (location_id)
    GROUP BY profile_id
),
bought AS (
    SELECT profile_id, list_sort(list(DISTINCT name)) AS purchased_brands
    FROM (SELECT DISTINCT profile_id, brand_id FROM items) JOIN brands USING (brand_id)
    GROUP BY profile_id
),
placed AS (
    SELECT location_id, coalesce(l.iso, c.iso_2) AS country, l.iso_state AS state,
           coalesce(l.region_id, s.region_id, n.region_id) AS region_id
    FROM locations l
    LEFT JOIN countries c ON c.iso_3 = l.country_iso_3
    LEFT JOIN members s ON s.iso = l.iso_state
    LEFT JOIN members n ON n.iso = coalesce(l.iso, c.iso_2)
),
evidence AS MATERIALIZED (
    SELECT profile_id, country, state, region_id, weight, latest_at
    FROM (
        SELECT profile_id, location_id, latest_at, purchases_24m * $weight_purchase
               + purchases_6m * ($weight_recent_purchase - $weight_purchase) AS weight
        FROM places WHERE purchases > 0
        UNION ALL
        SELECT profile_id, joined_location_id, '-infinity', $weight_joined_location
        FROM profiles WHERE joined_location_id IS NOT NULL
        UNION ALL
        SELECT profile_id, preferred_location_id, '-infinity', $weight_preferred_location
        FROM profiles WHERE preferred_location_id IS NOT NULL
    ) JOIN placed USING (location_id)
    UNION ALL
    SELECT profile_id, a.iso, a.iso_state, coalesce(s.region_id, n.region_id),
           CASE WHEN is_default THEN $weight_default_address ELSE $weight_address END, '-infinity'
    FROM addresses a
    LEFT JOIN members s ON s.iso = a.iso_state
    LEFT JOIN members n ON n.iso = a.iso
),
voted_countries AS (
    SELECT profile_id, country, sum(weight) AS weight, max(latest_at) AS latest_at
    FROM evidence WHERE country IS NOT NULL GROUP BY ALL
),
likely_country AS MATERIALIZED (
    SELECT profile_id, country, weight AS won,
           sum(weight) OVER (PARTITION BY profile_id) AS total
    FROM voted_countries
    QUALIFY weight > 0 AND row_number() OVER (
        PARTITION BY profile_id ORDER BY weight DESC, latest_at DESC, country) = 1
),
voted_states AS (
    SELECT profile_id, country, state, sum(weight) AS weight, max(latest_at) AS latest_at
    FROM evidence JOIN likely_country USING (profile_id, country)
    WHERE state IS NOT NULL GROUP BY ALL
),
likely_state AS (
    SELECT profile_id, state, weight AS won, sum(weight) OVER (PARTITION BY profile_id) AS total
    FROM voted_states
    QUALIFY weight > 0 AND row_number() OVER (
        PARTITION BY profile_id ORDER BY weight DESC, latest_at DESC, state) = 1
),
voted_regions AS (
    SELECT profile_id, region_id, name, sum(weight) AS weight, max(latest_at) AS latest_at
    FROM evidence JOIN regions USING (region_id) GROUP BY ALL
),
likely_region AS (
    SELECT profile_id, name AS region, weight AS won,
           sum(weight) OVER (PARTITION BY profile_id) AS total
    FROM voted_regions
    QUALIFY weight > 0 AND row_number() OVER (
        PARTITION BY profile_id ORDER BY weight DESC, latest_at DESC, name, region_id) = 1
),
best_tier AS (
    SELECT profile_id, arg_min(tier_id, (sort_order, started_at, id)) AS tier_id
    FROM tiers GROUP BY profile_id
),
referrals AS (
    SELECT referred_by_id AS profile_id, count(*) AS total_referred
    FROM profiles WHERE referred_by_id IS NOT NULL GROUP BY referred_by_id
),
joined AS (
    SELECT *, floor(epoch($moment - joined_at) / 86400)::INTEGER AS days_joined,
           shop_dates[1] AS first_day, shop_dates[-1] AS last_day,
           coalesce(len(shop_dates), 0) AS day_count
    FROM profiles LEFT JOIN purchases USING (profile_id)
),
reckoned AS (
    SELECT *, CASE WHEN day_count >= 3 THEN round((last_day - first_day) / day_count)::INTEGER END
        AS average_shop_days
    FROM joined
)
SELECT
    profile_id,
    CASE WHEN shop_count >= 2 THEN round((last_day - first_day) / (shop_count - 1))::INTEGER END
        AS shop_days,
    round(coalesce(spend_12m, 0), 2) AS spend_12m,
    round(coalesce(spend_12m, 0), 2) AS spend_12m_now,
    round(coalesce(spend_all, 0), 2) AS spend_all,
    round(coalesce(spend_12m, 0) / nullif(shop_count_12m, 0), 2) AS spend_atv_12m,
    round(spend_all / nullif(shop_count, 0), 2) AS spend_atv_all,
    round(discount_avg, 2) AS discount_avg,
    first_at AS spend_first_date,
    last_at AS spend_last_date,
    CASE WHEN coalesce(shop_count, 0) < 3 THEN 'F' || coalesce(shop_count, 0)
         WHEN last_day - first_day > 30 * (shop_count - 1) THEN 'FL'
         ELSE 'FH' END AS dimension_frequency,
    CASE WHEN latest_at IS NULL THEN 'R0'
         WHEN latest_at > $since_3m THEN 'RC'
         WHEN latest_at > $since_6m THEN 'RS'
         WHEN latest_at > $since_12m THEN 'RA'
         ELSE 'RI' END AS dimension_recency,
    CASE WHEN days_joined <= 90 THEN 'JN'
         WHEN days_joined <= 365 THEN 'JC'
         ELSE 'J' || ((days_joined + 364) // 365 - 1) END AS dimension_join,
    CASE channels WHEN 1 THEN 'CF' WHEN 2 THEN 'CO' WHEN 3 THEN 'CM' END AS channel,
    coalesce(shop_count, 0) AS shop_count,
    coalesce(total_referred, 0) AS total_referred,
    first_place AS store_join_id,
    countries.name AS likely_country,
    CASE WHEN c.won >= 0.8 * c.total THEN 1 WHEN c.won >= 0.6 * c.total THEN 2
         WHEN c.won >= 0.4 * c.total THEN 3 WHEN c.won >= 0.2 * c.total THEN 4
         WHEN c.won > 0 THEN 5 END AS likely_country_score,
    coalesce(purchased_brands, []) AS purchased_brands,
    day_count AS total_shop_days,
    greatest(first_day - (joined_at AT TIME ZONE 'UTC')::DATE, 0)
        + CASE WHEN first_day IS NULL THEN NULL ELSE 0 END AS first_shop_days,
    shop_dates[2] - first_day AS second_shop_days,
    CASE WHEN day_count >= 2 THEN last_day - shop_dates[-2] END AS latest_shop_days,
    average_shop_days,
    shop_dates[2] AS second_shop_date,
    CASE WHEN day_count >= 2 THEN shop_dates[-2] END AS previous_shop_date,
    last_day + 3 * average_shop_days AS at_risk_date,
    most_transacted_location_id,
    most_spend_location_id,
    most_spend_12m_location_id,
    latest.total AS latest_shop_spend,
    latest.currency AS latest_shop_currency_id,
    latest_place AS latest_transacted_location_id,
    coalesce(transacted_locations, []) AS transacted_locations,
    c.country AS likely_country_iso,
    likely_country_score AS likely_country_iso_score,
    s.state AS likely_state_iso,
    CASE WHEN s.won >= 0.8 * s.total THEN 1 WHEN s.won >= 0.6 * s.total THEN 2
         WHEN s.won >= 0.4 * s.total THEN 3 WHEN s.won >= 0.2 * s.total THEN 4
         WHEN s.won > 0 THEN 5 END AS likely_state_iso_score,
    r.region AS likely_region,
    CASE WHEN r.won >= 0.8 * r.total THEN 1 WHEN r.won >= 0.6 * r.total THEN 2
         WHEN r.won >= 0.4 * r.total THEN 3 WHEN r.won >= 0.2 * r.total THEN 4
         WHEN r.won > 0 THEN 5 END AS likely_region_score,
    tier_id AS top_historic_status_id
FROM reckoned
LEFT JOIN favourites USING (profile_id)
LEFT JOIN bought USING (profile_id)
LEFT JOIN likely_country c USING (profile_id)
LEFT JOIN countries ON countries.iso_2 = c.country
LEFT JOIN likely_state s USING (profile_id)
LEFT JOIN likely_region r USING (profile_id)
LEFT JOIN best_tier USING (profile_id)
LEFT JOIN referrals USING (profile_id)
