-- history: every transaction that counts, read from the covering index alone.
-- A purchase is one with is_purchase; the column's definition is the rule.
history AS NOT MATERIALIZED (
    SELECT t.profile_id, t.transacted_at, t.id, t.location_id, t.amount, t.total,
           t.total_original, t.currency_id, t.is_purchase, t.shop_date, t.channels
    FROM profiles_transaction t
    WHERE NOT t.is_void AND {scope:t.profile_id}{past: AND t.transacted_at <= %(moment)s}
)
