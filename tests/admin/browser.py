"""What a browser does with a form: it sends back all that the page shows, changed or not."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

from django.http import HttpResponse
from django.test import Client

TICKED = ("checkbox", "radio")


class _Form(HTMLParser):
    """Collects what a page's inputs, text areas and selects would send."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.values: dict[str, list[str]] = {}
        self._select: str | None = None
        self._textarea: str | None = None
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        name = given.get("name")
        if tag == "input" and name and self._is_sent(given):
            ticked = "on" if given.get("type") in TICKED else ""
            self._add(name, given.get("value", ticked) or "")
        elif tag == "textarea" and name:
            self._textarea = name
            self._add(name, "")
        elif tag == "select":
            self._select = name
        elif tag == "option" and self._select and "selected" in given:
            self._add(self._select, given.get("value") or "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "select":
            self._select = None
        elif tag == "textarea":
            self._textarea = None

    def handle_data(self, data: str) -> None:
        if self._textarea:
            # The line break after the tag belongs to the markup.
            self.values[self._textarea][-1] += data.removeprefix("\n")

    def _is_sent(self, given: dict[str, str | None]) -> bool:
        if given.get("type") in TICKED:
            return "checked" in given
        return given.get("type") not in ("submit", "button")

    def _add(self, name: str, value: str) -> None:
        self.values.setdefault(name, []).append(value)


def submit(client: Client, path: str, **changes: Any) -> HttpResponse:
    """Open a page, change some of its inputs and save; None empties a tick or a choice."""
    values = _Form(client.get(path).content.decode()).values
    for name, value in changes.items():
        if value is None:
            values.pop(name, None)
        else:
            values[name] = value
    return client.post(path, values)


def errors(response: HttpResponse) -> str:
    """Return all that the forms of a page that was not saved complain about, as one text."""
    assert response.status_code == 200, "it was saved"
    context = response.context
    found = [str(context["adminform"].form.errors)]
    for inline in context["inline_admin_formsets"]:
        found.append(str(inline.formset.non_form_errors()))
        found.extend(str(form.errors) for form in inline.formset.forms)
    return "".join(found)
