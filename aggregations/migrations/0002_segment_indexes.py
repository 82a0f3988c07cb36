from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    # Built while rows are read and written as ever: there may be millions.
    atomic = False

    dependencies = [("aggregations", "0001_initial")]

    operations = [
        AddIndexConcurrently(
            model_name="aggregation",
            index=models.Index(fields=["-spend_all", "profile"], name="aggregation_spend_all"),
        ),
        AddIndexConcurrently(
            model_name="aggregation",
            index=models.Index(
                fields=["-spend_last_date", "profile"], name="aggregation_last_date"
            ),
        ),
        AddIndexConcurrently(
            model_name="aggregation",
            index=models.Index(fields=["at_risk_date", "profile"], name="aggregation_at_risk"),
        ),
    ]
