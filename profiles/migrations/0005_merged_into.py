import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("profiles", "0004_queue_and_batches_for_staff")]

    operations = [
        migrations.AddField(
            "profile",
            "merged_into",
            models.ForeignKey(
                blank=True,
                db_index=False,
                editable=False,
                help_text="The same person, who keeps what this one had and is purged with it.",
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="merged",
                to="profiles.profile",
            ),
        ),
        migrations.AddIndex(
            "profile",
            models.Index(
                fields=["merged_into"],
                condition=models.Q(merged_into__isnull=False),
                name="profile_merged_into",
            ),
        ),
    ]
