"""The statements of the calculation, each rule in the file of its subject.

A file holds named common table expressions, each with its line of meaning. Three kinds of gaps are
filled in when a statement is composed, all with constants of this package:

- `{scope:column}` becomes the condition that picks the profiles: one, a list, a range or all;
- `{past:condition}` becomes that condition where the past is asked for, and nothing otherwise. It
  picks what was there by the moment, each row by the time of what it stands for and not by when it
  was written. What has no such gap has no time of its own, and counts in the past as it is now;
- `{crosses:column,months}` and `{score:won,total}` become the expression of that file.

Values are never filled in: `%(name)s` is a parameter of the query.
"""

from __future__ import annotations

import re
from enum import Enum
from functools import cache
from importlib.resources import files

GAP = re.compile(r"\{(\w+):([^}]*)\}")


class Scope(Enum):
    """Which profiles a statement is for: a condition on the column that holds their keys."""

    LISTED = "{column} = ANY(%(profile_ids)s::uuid[])"
    ONE = "{column} = %(profile_id)s"
    RANGE = "{column} BETWEEN %(first)s AND %(last)s"


def _source(name: str) -> str:
    return files(__package__).joinpath(f"{name}.sql").read_text().strip()


def _filled(text: str, scope: Scope, *, past: bool) -> str:
    def fill(gap: re.Match[str]) -> str:
        kind, arguments = gap[1], gap[2].split(",")
        match kind:
            case "scope":
                return scope.value.format(column=arguments[0])
            case "past":
                return gap[2] if past else ""
            case "crosses":
                return _source(kind).format(at=arguments[0], months=arguments[1])
            case "score":
                return _source(kind).format(won=arguments[0], total=arguments[1])
        raise ValueError(f"There is no gap of the kind {kind}.")

    return GAP.sub(fill, text)


@cache
def statement(*expressions: str, scope: Scope, then: str, past: bool = False) -> str:
    """Return the statement with the expressions of those files, followed by what uses them.

    `past`: of what was there by the moment alone.
    """
    named = ",\n\n".join(_source(name) for name in expressions)
    return _filled(f"WITH {named}\n{then}" if named else then, scope, past=past)
