from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("profiles", "0003_system_currency"),
    ]

    operations = [
        migrations.CreateModel(
            name="QueuedTransaction",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("body", models.JSONField()),
                (
                    "external_id",
                    models.CharField(
                        blank=True,
                        help_text="The body's: those of one keep their order.",
                        max_length=255,
                        null=True,
                    ),
                ),
                ("accepted_at", models.DateTimeField()),
                (
                    "errors",
                    models.JSONField(
                        blank=True,
                        help_text="What is wrong with it, by field; empty while it waits.",
                        null=True,
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("errors__isnull", True)),
                        fields=["id"],
                        name="queued_transaction_order",
                    ),
                    models.Index(
                        condition=models.Q(
                            ("errors__isnull", True), ("external_id__isnull", False)
                        ),
                        fields=["external_id", "id"],
                        name="queued_transaction_external_id",
                    ),
                ],
            },
        ),
    ]
