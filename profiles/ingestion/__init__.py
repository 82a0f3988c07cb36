"""How sales come in: bodies as the API takes them, any number at a time, as a set.

However many there are, it takes the same number of statements. Rows have their effect in the
order in which they are given: of two with the same external id, the second updates what the first
created.
"""

from profiles.ingestion.deleting import delete_transaction, hold_transactions
from profiles.ingestion.rows import Match, Outcome, Posted, Status, read
from profiles.ingestion.upserting import BATCH, ingest, ingest_one, upsert_transactions

__all__ = [
    "BATCH",
    "Match",
    "Outcome",
    "Posted",
    "Status",
    "delete_transaction",
    "hold_transactions",
    "ingest",
    "ingest_one",
    "read",
    "upsert_transactions",
]
