-- placed: where a location is. Its own region goes before that of its state, and that before that
-- of its country.
placed AS NOT MATERIALIZED (
    SELECT l.id AS location_id, coalesce(a.iso, c.iso_2) COLLATE "C" AS country,
           a.iso_state COLLATE "C" AS state,
           coalesce(l.region_id, of_state.region_id, of_country.region_id) AS region_id
    FROM locations_location l
    LEFT JOIN locations_locationaddress a ON a.location_id = l.id
    LEFT JOIN locations_country c ON c.iso_3 = l.country_iso_3
    LEFT JOIN locations_regionmember of_state ON of_state.iso = a.iso_state
    LEFT JOIN locations_regionmember of_country ON of_country.iso = coalesce(a.iso, c.iso_2)
),

-- evidence: how strongly all that is known speaks for each place, and when the latest purchase
-- there was.
evidence AS MATERIALIZED (
    SELECT profile_id, country, state, region_id, sum(weight)::integer AS weight,
           max(latest_at) AS latest_at
    FROM (
        SELECT profile_id, country, state, region_id, weight, latest_at
        FROM (
            SELECT profile_id, location_id, latest_at,
                   (purchases_24m * %(weight_purchase)s
                    + purchases_6m * (%(weight_recent_purchase)s - %(weight_purchase)s))::integer
                   AS weight
            FROM places WHERE purchases > 0
            UNION ALL
            SELECT p.id, p.joined_location_id, NULL, %(weight_joined_location)s
            FROM profiles_profile p WHERE p.joined_location_id IS NOT NULL AND {scope:p.id}
            UNION ALL
            SELECT p.id, p.preferred_location_id, NULL, %(weight_preferred_location)s
            FROM profiles_profile p WHERE p.preferred_location_id IS NOT NULL AND {scope:p.id}
        ) AS visited
        JOIN placed USING (location_id)
        UNION ALL
        SELECT a.profile_id, a.iso COLLATE "C", a.iso_state COLLATE "C",
               coalesce(of_state.region_id, of_country.region_id),
               CASE WHEN a.is_default THEN %(weight_default_address)s ELSE %(weight_address)s END,
               NULL
        FROM profiles_profileaddress a
        LEFT JOIN locations_regionmember of_state ON of_state.iso = a.iso_state
        LEFT JOIN locations_regionmember of_country ON of_country.iso = a.iso
        WHERE {scope:a.profile_id}
    ) AS pieces
    GROUP BY profile_id, country, state, region_id
),

-- likely_place: the country with most weight, and within it the state with most. Ties go to the
-- most recent purchase, then to the alphabet: the arrays are in that order.
likely_place AS (
    SELECT
        profile_id,
        (array_agg(country ORDER BY weight DESC, latest_at DESC NULLS LAST, country))[1] AS country,
        max(weight) AS country_won,
        sum(weight)::integer AS country_total,
        (array_agg(state ORDER BY weight DESC, latest_at DESC NULLS LAST, country))[1] AS state,
        (array_agg(state_won ORDER BY weight DESC, latest_at DESC NULLS LAST, country))[1]
            AS state_won,
        (array_agg(state_total ORDER BY weight DESC, latest_at DESC NULLS LAST, country))[1]
            AS state_total
    FROM (
        SELECT
            profile_id, country, sum(weight)::integer AS weight, max(latest_at) AS latest_at,
            (array_agg(state ORDER BY weight DESC, latest_at DESC NULLS LAST, state)
                FILTER (WHERE state IS NOT NULL AND weight > 0))[1] AS state,
            max(weight) FILTER (WHERE state IS NOT NULL AND weight > 0) AS state_won,
            sum(weight) FILTER (WHERE state IS NOT NULL)::integer AS state_total
        FROM (
            SELECT profile_id, country, state, sum(weight)::integer AS weight,
                   max(latest_at) AS latest_at
            FROM evidence
            WHERE country IS NOT NULL
            GROUP BY profile_id, country, state
        ) AS states
        GROUP BY profile_id, country
    ) AS countries
    WHERE weight > 0
    GROUP BY profile_id
),

-- likely_region: the same vote among regions, wherever the likely country is.
likely_region AS (
    SELECT
        profile_id,
        (array_agg(name ORDER BY weight DESC, latest_at DESC NULLS LAST, name COLLATE "C",
            region_id))[1] AS region,
        max(weight) AS region_won,
        sum(weight)::integer AS region_total
    FROM (
        SELECT profile_id, region_id, sum(weight)::integer AS weight, max(latest_at) AS latest_at
        FROM evidence
        WHERE region_id IS NOT NULL
        GROUP BY profile_id, region_id
    ) AS regions
    JOIN locations_region r ON r.id = region_id
    WHERE weight > 0
    GROUP BY profile_id
)
