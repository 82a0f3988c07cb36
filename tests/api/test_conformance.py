"""Requests made from the description of the API, good ones and bad ones, to every operation.

All checks of schemathesis look at every answer. A good request is accepted, but for what no schema
can foresee (`UNFORESEEABLE`); a bad one is refused.

Two of them find nothing to look at. `object_level_authorization` is about users who each have rows
of their own: here no row belongs to a token, its scopes alone say what it sees, and a test of this
module asks every operation with none. `max_response_time` is about time, which says nothing in a
test.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import Any

import pytest
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, transaction
from hypothesis import HealthCheck, Phase, settings
from schemathesis import Case, GenerationMode, Response
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.generation.drivers import CoverageGenerator
from schemathesis.generation.feedback import NO_FEEDBACK
from schemathesis.generation.meta import CoverageScenario
from schemathesis.generation.overrides import Override

from tests.api.described import LINKED, OPERATIONS, SCHEMA, SCHEMA_OF_SEQUENCES, THOROUGH, Rows

CASES_A_SCENARIO = 10_000 if THOROUGH else 2
SEQUENCES = 100 if THOROUGH else 8

pytestmark = pytest.mark.django_db


@pytest.fixture
def rows(db: None) -> Rows:
    return Rows.made()


@pytest.fixture(autouse=True)
def _requests_leave_the_transaction_open() -> Iterator[None]:
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.fixture
def headers(create_token: Callable[..., str]) -> dict[str, str]:
    return {"Authorization": f"Bearer {create_token()}"}


@pytest.fixture
def ask(headers: dict[str, str], rows: Rows) -> Callable[[Case], None]:
    """Return the function that makes a request and checks the answer, and undoes what it did."""

    def ask(case: Case) -> None:
        rows.into_path(case)
        rows.into_rest(case)
        with transaction.atomic():
            case.call_and_validate(headers=headers)
            transaction.set_rollback(True)

    return ask


def test_every_check_is_on():
    load_all_checks()
    checks = SCHEMA.config.checks_config_for()

    assert all(checks.get_by_name(name=name).enabled for name in CHECKS.get_all_names())


@SCHEMA.parametrize()
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_every_answer_is_one_that_the_description_has(case: Case, ask: Callable[[Case], None]):
    ask(case)


@pytest.mark.parametrize("label", OPERATIONS)
def test_every_limit_of_a_value_is_where_the_description_has_it(
    label: str, ask: Callable[[Case], None]
):
    for case in _some_of_each_scenario(_limits(label)):
        ask(case)


def test_every_operation_refuses_a_token_that_has_no_scope(
    create_token: Callable[..., str], rows: Rows
):
    headers = {"Authorization": f"Bearer {create_token(scopes=[])}"}
    not_accepted = [CHECKS.get_one("positive_data_acceptance")]
    for label in sorted({*OPERATIONS} - {"GET /health"}):
        case = next(_limits(label))
        rows.into_path(case)

        response = case.call(headers=headers)

        assert response.status_code == 403, label
        case.validate_response(response, headers=headers, excluded_checks=not_accepted)


@pytest.mark.parametrize("tag", LINKED)
def test_what_was_made_can_be_read_and_changed_until_it_is_deleted(
    tag: str, headers: dict[str, str], rows: Rows
):
    class Sequence(SCHEMA_OF_SEQUENCES.include(tag=tag).as_state_machine()):
        def setup(self) -> None:
            self.undone = transaction.atomic()
            self.undone.__enter__()

        def teardown(self) -> None:
            transaction.set_rollback(True)
            self.undone.__exit__(None, None, None)

        def before_call(self, case: Case) -> None:
            rows.into_rest(case)

        def get_call_kwargs(self, case: Case) -> dict[str, dict[str, str]]:
            return {"headers": headers}

        def validate_response(self, response: Response, case: Case, **more: Any) -> None:
            case.validate_response(response, headers=headers, recorder=self.recorder)

    Sequence.run(
        settings=settings(
            max_examples=SEQUENCES,
            stateful_step_count=6,
            derandomize=True,
            database=None,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
    )


@pytest.mark.parametrize("form", ["text/csv", "application/x-ndjson"])
def test_a_stream_is_of_the_form_that_the_description_has(
    form: str, headers: dict[str, str], rows: Rows
):
    case = SCHEMA["/aggregations"]["GET"].Case(query={"filter[spend_all__gte]": "0"})

    response = case.call_and_validate(headers={**headers, "Accept": form})

    assert response.status_code == 200
    assert response.headers["content-type"] == [f"{form}; charset=utf-8"]


def _limits(label: str) -> Iterator[Case]:
    (found,) = SCHEMA.include(name=label).get_all_operations()
    operation = found.ok()
    return iter(
        CoverageGenerator(
            operation=operation,
            generation_modes=list(GenerationMode),
            generation_config=SCHEMA.config.generation_for(operation=operation, phase="coverage"),
            auth_storage=None,
            override=Override(),
            feedback=NO_FEEDBACK,
        )
    )


def _some_of_each_scenario(cases: Iterable[Case]) -> Iterator[Case]:
    """Return some cases of each kind, from the first to the last parameter, and every method."""
    by_scenario = defaultdict(list)
    for case in cases:
        by_scenario[case.meta.phase.data.scenario].append(case)
    return chain.from_iterable(
        alike
        if scenario == CoverageScenario.UNSPECIFIED_HTTP_METHOD
        else alike[:: -(-len(alike) // CASES_A_SCENARIO)]
        for scenario, alike in by_scenario.items()
    )
