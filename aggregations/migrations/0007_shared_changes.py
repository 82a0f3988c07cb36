"""Note changes of what many profiles share, of whom it is not known yet who they are."""

import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("aggregations", "0006_runs_of_workers"),
    ]

    operations = [
        migrations.CreateModel(
            name="SharedChange",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("brand", "Brand"),
                            ("tier", "Tier"),
                            ("location", "Location"),
                            ("region", "Region"),
                            ("member", "country or state of a region"),
                        ],
                        max_length=8,
                    ),
                ),
                (
                    "key",
                    models.CharField(
                        help_text="Its id, or the code of a country or state.", max_length=20
                    ),
                ),
                (
                    "changed_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
            ],
        ),
    ]
