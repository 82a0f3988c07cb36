"""The rules that hold the whole together, and that no single test would miss."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import grimp
import pytest
from django.apps import apps

import aggregations.sql
from aggregations.receivers import OWNED, SHARED
from locations.models import Country

CHECKOUT = Path(__file__).resolve().parents[1]
APPS = ("locations", "profiles", "aggregations")
# Come with a migration, and are not edited.
UNCHANGING = {Country}


@pytest.fixture(scope="module")
def imports() -> grimp.ImportGraph:
    return grimp.build_graph("omneo", *APPS, cache_dir=None)


def models_read_by_the_calculation() -> set[type]:
    """Return the models of all tables that the statements of the calculation name."""
    statements = Path(aggregations.sql.__file__).parent.glob("*.sql")
    named = {
        table
        for statement in statements
        for table in re.findall(r"\b(?:FROM|JOIN)\s+([a-z]+_[a-z]+)", statement.read_text())
    }
    return {model for model in apps.get_models() if model._meta.db_table in named}


def test_imports_run_one_way():
    lint = Path(sys.executable).with_name("lint-imports")

    checked = subprocess.run(
        [lint, "--no-cache"], cwd=CHECKOUT, capture_output=True, text=True, check=False
    )

    assert checked.returncode == 0, checked.stdout


@pytest.mark.parametrize("app", APPS)
@pytest.mark.parametrize("above", ["omneo.api", "omneo.celery", "omneo.urls"])
def test_no_app_knows_the_conventions_that_settings_name(imports, app, above):
    above_it = {above, *imports.find_descendants(above)}

    assert not [
        (importer, imported)
        for imported in above_it
        for importer in imports.find_modules_that_directly_import(imported)
        if importer.partition(".")[0] == app
    ]


def test_the_foundation_imports_no_app(imports):
    assert not [
        module
        for module in imports.find_modules_directly_imported_by("omneo.db")
        if module.partition(".")[0] in APPS
    ]


def test_a_change_of_any_row_that_the_calculation_reads_is_received():
    assert models_read_by_the_calculation() - UNCHANGING == {*OWNED, *SHARED}
