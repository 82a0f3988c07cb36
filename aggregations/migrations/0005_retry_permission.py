"""Let staff try recalculations that failed again before their time."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("aggregations", "0004_lag_warning"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="recalculationrequest",
            options={
                "permissions": [
                    ("retry_recalculationrequest", "Can try again a recalculation that failed")
                ]
            },
        ),
    ]
