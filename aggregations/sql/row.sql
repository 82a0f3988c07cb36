-- row: the aggregations of every profile in scope, those without any history too.
computed AS (
    SELECT
        t.profile_id,
        -- Twice the days plus the divisor, by twice the divisor: whole numbers that round half up.
        CASE WHEN t.shop_count >= 2
             THEN (2 * (last_day - first_day) + t.shop_count - 1) / (2 * (t.shop_count - 1)) END
            AS shop_days,
        round(coalesce(t.spend_12m, 0), 2) AS spend_12m,
        t.spend_12m_now,
        round(coalesce(t.spend_all, 0), 2) AS spend_all,
        round(t.spend_12m / nullif(t.shop_count_12m, 0), 2) AS spend_atv_12m,
        round(t.spend_all / nullif(t.shop_count, 0), 2) AS spend_atv_all,
        round(t.discount_avg, 2) AS discount_avg,
        t.first_at AS spend_first_date,
        t.last_at AS spend_last_date,
        CASE WHEN coalesce(t.shop_count, 0) < 3 THEN 'F' || coalesce(t.shop_count, 0)
             WHEN last_day - first_day > 30 * (t.shop_count - 1) THEN 'FL'
             ELSE 'FH' END AS dimension_frequency,
        t.dimension_recency,
        t.dimension_join,
        (ARRAY['CF', 'CO', 'CM'])[t.channels] AS channel,
        coalesce(t.shop_count, 0) AS shop_count,
        coalesce(r.total_referred, 0) AS total_referred,
        t.places[1] AS store_join_id,
        country.name AS likely_country,
        {score:lp.country_won,lp.country_total} AS likely_country_score,
        coalesce(b.purchased_brands, '{}') AS purchased_brands,
        day_count AS total_shop_days,
        CASE WHEN day_count > 0
             THEN greatest(first_day - (t.joined_at AT TIME ZONE 'UTC')::date, 0) END
            AS first_shop_days,
        t.shop_dates[2] - first_day AS second_shop_days,
        last_day - t.shop_dates[day_count - 1] AS latest_shop_days,
        average_shop_days,
        t.shop_dates[2] AS second_shop_date,
        t.shop_dates[day_count - 1] AS previous_shop_date,
        last_day + 3 * average_shop_days AS at_risk_date,
        f.most_transacted_location_id,
        f.most_spend_location_id,
        f.most_spend_12m_location_id,
        t.totals[t.shop_count] AS latest_shop_spend,
        t.currencies[t.shop_count] AS latest_shop_currency_id,
        t.places[cardinality(t.places)] AS latest_transacted_location_id,
        coalesce(f.transacted_locations, '{}') AS transacted_locations,
        lp.country AS likely_country_iso,
        {score:lp.country_won,lp.country_total} AS likely_country_iso_score,
        lp.state AS likely_state_iso,
        {score:lp.state_won,lp.state_total} AS likely_state_iso_score,
        lr.region AS likely_region,
        {score:lr.region_won,lr.region_total} AS likely_region_score,
        bt.tier_id AS top_historic_status_id,
        t.next_change_at
    FROM timeline t
    LEFT JOIN favourites f ON f.profile_id = t.profile_id
    LEFT JOIN likely_place lp ON lp.profile_id = t.profile_id
    LEFT JOIN locations_country country ON country.iso_2 = lp.country
    LEFT JOIN likely_region lr ON lr.profile_id = t.profile_id
    LEFT JOIN brands b ON b.profile_id = t.profile_id
    LEFT JOIN best_tier bt ON bt.profile_id = t.profile_id
    LEFT JOIN referrals r ON r.profile_id = t.profile_id
    CROSS JOIN LATERAL (
        SELECT t.shop_dates[1] AS first_day, coalesce(cardinality(t.shop_dates), 0) AS day_count,
               t.shop_dates[cardinality(t.shop_dates)] AS last_day
    ) AS dates
    CROSS JOIN LATERAL (
        SELECT CASE WHEN day_count >= 3
                    THEN (2 * (last_day - first_day) + day_count) / (2 * day_count) END
            AS average_shop_days
    ) AS gaps
)
