-- timeline: the history of every profile in scope, and what the clock makes of it: the three
-- values that change as time passes though nothing happens, and when they will.
timeline AS (
    SELECT
        *,
        round(coalesce(spend_12m, 0), 2) AS spend_12m_now,
        CASE WHEN latest_at IS NULL THEN 'R0'
             WHEN latest_at > %(since_3m)s THEN 'RC'
             WHEN latest_at > %(since_6m)s THEN 'RS'
             WHEN latest_at > %(since_12m)s THEN 'RA'
             ELSE 'RI' END AS dimension_recency,
        CASE WHEN days_joined <= 90 THEN 'JN'
             WHEN days_joined <= 365 THEN 'JC'
             ELSE 'J' || years_joined - 1 END AS dimension_join,
        least(
            {crosses:first_leaving_at,12},
            CASE WHEN some_return THEN %(midnight)s END,
            -- Of the windows that it is in, it leaves the shortest first.
            CASE WHEN latest_at > %(returns_after_3m)s THEN {crosses:latest_at,3}
                 WHEN latest_at > %(returns_after_6m)s THEN {crosses:latest_at,6}
                 ELSE {crosses:latest_at,12} END,
            joined_at + make_interval(
                hours => 24 * CASE WHEN days_joined <= 90 THEN 91 ELSE 365 * years_joined + 1 END)
        ) AS next_change_at
    FROM (
        -- OFFSET 0: computed once, however often they are used.
        SELECT profile_id, joined_at, days_joined, (days_joined + 364) / 365 AS years_joined
        FROM (
            SELECT p.id AS profile_id, coalesce(p.joined_at, p.created_at) AS joined_at,
                   date_part('day', %(moment)s - coalesce(p.joined_at, p.created_at))::integer
                       AS days_joined
            FROM profiles_profile p
            WHERE {scope:p.id} OFFSET 0
        ) AS days OFFSET 0
    ) AS joined
    LEFT JOIN purchases USING (profile_id)
)
