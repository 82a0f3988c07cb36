"""Leave room beside each row of freshness, so that moving it on is an update in place."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("aggregations", "0001_initial")]

    operations = [
        migrations.RunSQL(
            "ALTER TABLE aggregations_freshness SET (fillfactor = 50)",
            "ALTER TABLE aggregations_freshness RESET (fillfactor)",
        )
    ]
