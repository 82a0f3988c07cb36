-- purchases: what can be said of a profile's history without regard to places, in one pass in
-- order of time. The arrays hold purchases in that order: the last element is the latest.
purchases AS (
    SELECT
        profile_id,
        count(*) FILTER (WHERE is_purchase)::integer AS shop_count,
        count(*) FILTER (WHERE is_purchase AND transacted_at > %(since_12m)s) AS shop_count_12m,
        sum(amount) AS spend_all,
        sum(amount) FILTER (WHERE transacted_at > %(since_12m)s) AS spend_12m,
        -- Rounded early, so that the mean of thirds is the same wherever it is computed.
        sum(round((total_original - total) / total_original, 12))
            FILTER (WHERE is_purchase AND total_original > 0)
        * 100 / count(*) FILTER (WHERE is_purchase AND total_original > 0) AS discount_avg,
        min(transacted_at) AS first_at,
        max(transacted_at) AS last_at,
        max(transacted_at) FILTER (WHERE is_purchase) AS latest_at,
        bit_or(channels) FILTER (WHERE is_purchase) AS channels,
        array_agg(DISTINCT shop_date ORDER BY shop_date) FILTER (WHERE is_purchase) AS shop_dates,
        array_agg(total ORDER BY transacted_at, id) FILTER (WHERE is_purchase) AS totals,
        array_agg(currency_id ORDER BY transacted_at, id) FILTER (WHERE is_purchase)
            AS currencies,
        array_agg(location_id ORDER BY transacted_at, id)
            FILTER (WHERE is_purchase AND location_id IS NOT NULL) AS places,
        -- What the clock will take out of the window next, and what it will bring back.
        min(transacted_at) FILTER (WHERE transacted_at > %(since_12m)s AND amount <> 0)
            AS first_leaving_at,
        count(*) FILTER (WHERE transacted_at > %(returns_after_12m)s
            AND transacted_at <= %(since_12m)s AND amount <> 0) > 0 AS some_return
    FROM history
    GROUP BY profile_id
)
