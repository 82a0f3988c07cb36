"""Many rows of aggregations, without the calculation of any."""

from __future__ import annotations

from django.db import connection

from aggregations.models import Aggregation


def multiply(times: int) -> None:
    """Make so many rows of each one, all of them of profiles of their own."""
    copied = [field.column for field in Aggregation._meta.concrete_fields if not field.primary_key]
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TEMP TABLE twin AS SELECT profile_id AS of, "
            "gen_random_uuid() AS id FROM aggregations_aggregation, generate_series(2, %s)",
            [times],
        )
        cursor.execute(
            "INSERT INTO profiles_profile (id, profile_type, tags, meta) "
            "SELECT id, 'active', '{}', '{}' FROM twin"
        )
        cursor.execute(
            f"INSERT INTO aggregations_aggregation (profile_id, {', '.join(copied)}) "
            f"SELECT twin.id, {', '.join(copied)} "
            "FROM aggregations_aggregation JOIN twin ON profile_id = twin.of"
        )
        cursor.execute("DROP TABLE twin")
