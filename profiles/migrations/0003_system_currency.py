"""Give a new installation its system currency, the one that the settings name."""

from django.conf import settings
from django.db import migrations


def add_system_currency(apps, schema_editor):
    code = settings.SYSTEM_CURRENCY
    apps.get_model("profiles", "Currency").objects.create(
        from_code=code, to_code=code, rate=1, is_system=True
    )


class Migration(migrations.Migration):
    dependencies = [("profiles", "0002_item_follows_transaction")]

    operations = [migrations.RunPython(add_system_currency, migrations.RunPython.noop)]
