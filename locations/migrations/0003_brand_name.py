from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False  # sales go on while the index is made

    dependencies = [("locations", "0002_countries")]

    operations = [
        AddIndexConcurrently("brand", models.Index(fields=["name", "id"], name="brand_name")),
    ]
