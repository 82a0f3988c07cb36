"""What tests say of the database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import IntegrityError, transaction


@contextmanager
def refused_by(constraint: str) -> Iterator[None]:
    """Expect the database to refuse what is done here, and to name the constraint."""
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        yield
