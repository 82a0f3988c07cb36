from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False  # sales go on while the indexes are made

    dependencies = [("profiles", "0005_merged_into")]

    operations = [
        AddIndexConcurrently(
            "transaction",
            models.Index(fields=[column, "id"], name=f"transaction_{column}"),
        )
        for column in ("updated_at", "transacted_at")
    ]
