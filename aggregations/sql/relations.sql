-- best_tier: the best tier ever held; of equally good ones the earliest held.
best_tier AS (
    SELECT DISTINCT ON (h.profile_id) h.profile_id, h.tier_id
    FROM profiles_profiletier h JOIN profiles_tier t ON t.id = h.tier_id
    WHERE {scope:h.profile_id}{past: AND h.started_at <= %(moment)s}
    ORDER BY h.profile_id, t.sort_order, h.started_at, h.id
),

-- referrals: how many profiles a profile referred.
referrals AS (
    SELECT r.referred_by_id AS profile_id, count(*)::integer AS total_referred
    FROM profiles_profile r
    WHERE r.referred_by_id IS NOT NULL AND {scope:r.referred_by_id}{past:
        AND coalesce(r.joined_at, r.created_at) <= %(moment)s}
    GROUP BY r.referred_by_id
)
