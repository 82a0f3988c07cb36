-- places: a profile's purchases by location.
places AS MATERIALIZED (
    SELECT
        profile_id,
        location_id,
        sum(amount) AS spend,
        sum(amount) FILTER (WHERE transacted_at > %(since_12m)s) AS spend_12m,
        count(*) FILTER (WHERE is_purchase) AS purchases,
        count(*) FILTER (WHERE is_purchase AND transacted_at > %(since_24m)s) AS purchases_24m,
        count(*) FILTER (WHERE is_purchase AND transacted_at > %(since_6m)s) AS purchases_6m,
        max(transacted_at) FILTER (WHERE is_purchase) AS latest_at
    FROM history
    WHERE location_id IS NOT NULL
    GROUP BY profile_id, location_id
),

-- favourites: the locations that stand out. Ties go to the most recent purchase, then to the
-- lower id: the arrays are in that order, and the first element that is as large as the largest
-- wins.
favourites AS (
    SELECT
        profile_id,
        locations[CASE WHEN most_purchases_24m > 0
                       THEN array_position(purchases_24m, most_purchases_24m)
                       WHEN most_purchases > 0
                       THEN array_position(purchases, most_purchases) END]
            AS most_transacted_location_id,
        locations[CASE WHEN most_spend > 0 THEN array_position(spends, most_spend) END]
            AS most_spend_location_id,
        locations[CASE WHEN most_spend_12m > 0 THEN array_position(spends_12m, most_spend_12m) END]
            AS most_spend_12m_location_id,
        transacted_locations
    FROM (
        SELECT
            profile_id,
            array_agg(location_id ORDER BY latest_at DESC NULLS LAST, location_id) AS locations,
            array_agg(purchases_24m ORDER BY latest_at DESC NULLS LAST, location_id)
                AS purchases_24m,
            max(purchases_24m) AS most_purchases_24m,
            array_agg(purchases ORDER BY latest_at DESC NULLS LAST, location_id) AS purchases,
            max(purchases) AS most_purchases,
            array_agg(spend ORDER BY latest_at DESC NULLS LAST, location_id) AS spends,
            max(spend) AS most_spend,
            array_agg(spend_12m ORDER BY latest_at DESC NULLS LAST, location_id) AS spends_12m,
            max(spend_12m) AS most_spend_12m,
            array_agg(DISTINCT l.name COLLATE "C" ORDER BY l.name COLLATE "C")
                FILTER (WHERE purchases > 0) AS transacted_locations
        FROM places JOIN locations_location l ON l.id = location_id
        GROUP BY profile_id
    ) AS ranked
)
