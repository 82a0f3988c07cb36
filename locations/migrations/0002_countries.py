"""Bring in the countries of ISO 3166-1."""

import pycountry
from django.db import migrations


def add_countries(apps, schema_editor):
    Country = apps.get_model("locations", "Country")
    Country.objects.bulk_create(
        [
            Country(
                iso_2=country.alpha_2,
                iso_3=country.alpha_3,
                name=getattr(country, "common_name", country.name),
            )
            for country in pycountry.countries
        ]
    )


class Migration(migrations.Migration):
    dependencies = [("locations", "0001_initial")]

    operations = [migrations.RunPython(add_countries, migrations.RunPython.noop)]
