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
-- lower id.
favourites AS (
    SELECT
        profile_id,
        coalesce(
            (array_agg(location_id ORDER BY purchases_24m DESC, latest_at DESC, location_id)
                FILTER (WHERE purchases_24m > 0))[1],
            (array_agg(location_id ORDER BY purchases DESC, latest_at DESC, location_id)
                FILTER (WHERE purchases > 0))[1]
        ) AS most_transacted_location_id,
        (array_agg(location_id ORDER BY spend DESC, latest_at DESC NULLS LAST, location_id)
            FILTER (WHERE spend > 0))[1] AS most_spend_location_id,
        (array_agg(location_id ORDER BY spend_12m DESC, latest_at DESC NULLS LAST, location_id)
            FILTER (WHERE spend_12m > 0))[1] AS most_spend_12m_location_id,
        array_agg(DISTINCT l.name COLLATE "C" ORDER BY l.name COLLATE "C")
            FILTER (WHERE purchases > 0) AS transacted_locations
    FROM places JOIN locations_location l ON l.id = location_id
    GROUP BY profile_id
)
