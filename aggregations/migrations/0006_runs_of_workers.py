"""Note which runs the workers go on with by themselves."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("aggregations", "0005_retry_permission"),
    ]

    operations = [
        migrations.AddField(
            model_name="recalculationrun",
            name="by_workers",
            field=models.BooleanField(
                db_default=False,
                help_text="Whether Celery workers go on with it until nothing is left.",
            ),
        ),
    ]
