-- brands: what a profile bought, by brand; the index holds purchased lines alone.
brands AS (
    SELECT profile_id,
           array_agg(DISTINCT b.name COLLATE "C" ORDER BY b.name COLLATE "C") AS purchased_brands
    FROM (
        SELECT DISTINCT i.profile_id, i.brand_id
        FROM profiles_transactionitem i
        WHERE i.is_purchase AND NOT i.is_void AND i.quantity > 0 AND i.brand_id IS NOT NULL
            AND {scope:i.profile_id}{past:
            AND i.transaction_id IN (SELECT id FROM history)}
    ) AS bought
    JOIN locations_brand b ON b.id = brand_id
    GROUP BY profile_id
)
