"""Let staff try queued transactions again, find those that failed, and see whose a batch is."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("profiles", "0003_system_currency"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="profilebatchrow",
            options={
                "verbose_name": "profile of a batch",
                "verbose_name_plural": "profiles of batches",
            },
        ),
        migrations.AlterModelOptions(
            name="queuedtransaction",
            options={
                "permissions": [
                    ("retry_queuedtransaction", "Can try again a queued transaction that failed")
                ]
            },
        ),
        migrations.AddField(
            model_name="profilebatch",
            name="accepted_from",
            field=models.ForeignKey(
                help_text="The user of the token that it came with.",
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddIndex(
            model_name="queuedtransaction",
            index=models.Index(
                condition=models.Q(("errors__isnull", False)),
                fields=["id"],
                name="queued_transaction_failed",
            ),
        ),
    ]
