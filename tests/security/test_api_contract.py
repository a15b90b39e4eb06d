"""The JSON API keeps to its own document, whatever it is sent: generated requests, right and wrong. I02, X04."""

from typing import Any

import hypothesis
import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, Phase
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_schema_conformance,
    status_code_conformance,
)

from tests.conftest import MakeApp
from tests.security.people import DEN, Cast

EXAMPLES = [3, pytest.param(20, marks=pytest.mark.long)]
"""For each operation, each of its rooms and each of the tests."""
KEPT = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
BOUNDED = hypothesis.settings(
    deadline=None,
    database=None,
    derandomize=True,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture
def cast(make_app: MakeApp) -> Cast:
    return Cast(make_app(post_limit_account="0", post_limit_address="0"))


def operations(app: Flask) -> list[Any]:
    schema = schemathesis.openapi.from_wsgi("/api/openapi.json", app)
    return [result.ok() for result in schema.get_all_operations()]


def paths(operation: Any) -> list[dict[str, str] | None]:
    """The rooms that there are; for what is found by something else, whatever is generated."""
    if [parameter.name for parameter in operation.path_parameters] == ["slug"]:
        return [{"slug": DEN.slug}, {"slug": "lobby"}, {"slug": "nowhere"}]
    return [None]


def attack(cast: Cast, who: str, mode: GenerationMode, checks: list[Any], examples: int) -> list[int]:
    """Send what is generated, check each answer, and return the statuses."""
    headers = cast.person(who).headers
    statuses: list[int] = []

    def send(case: Any) -> None:
        response = case.call(headers=headers)
        statuses.append(response.status_code)
        case.validate_response(response, checks=checks, headers=headers)

    for operation in operations(cast.app):
        if mode is GenerationMode.NEGATIVE and not (operation.query or operation.body):
            continue  # it reads nothing that could be wrong
        for path in paths(operation):
            cases = operation.as_strategy(generation_mode=mode, path_parameters=path)
            hypothesis.settings(BOUNDED, max_examples=examples)(hypothesis.given(case=cases)(send))()
    return statuses


@pytest.mark.parametrize("examples", EXAMPLES)
@pytest.mark.parametrize("who", ["token", "owner's program", "anonymous"])
def test_valid_input_is_accepted(cast: Cast, who: str, examples: int) -> None:
    statuses = attack(cast, who, GenerationMode.POSITIVE, KEPT, examples)
    assert 200 in statuses  # the document itself, at least
    assert (201 in statuses) == (who != "anonymous")


@pytest.mark.parametrize("examples", EXAMPLES)
@pytest.mark.parametrize("who", ["token", "owner's program", "anonymous"])
def test_invalid_input(cast: Cast, who: str, examples: int) -> None:
    """And it is not taken for what is right."""
    checks = [*KEPT, negative_data_rejection]
    statuses = attack(cast, who, GenerationMode.NEGATIVE, checks, examples)
    assert (400 in statuses) == (who != "anonymous")
    assert who != "anonymous" or not {201, 500} & set(statuses)
