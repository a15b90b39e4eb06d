"""People are found by any part of their name. The page has the same cases (tests/js/names.test.js)."""

import json
from typing import Any

import pytest

from chatroom.names import beginning_of_part, name_parts
from tests.corpus import HERE

PEOPLE = json.loads((HERE / "people.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("person", PEOPLE, ids=lambda person: person["name"])
def test_a_name_is_found_by_each_of_its_parts(person: Any) -> None:
    parts = name_parts(person["name"])
    found = {query: any(part.startswith(beginning_of_part(query)) for part in parts) for query in person["found"]}
    assert found == dict.fromkeys(person["found"], True)
    assert not [query for query in person["not"] if any(part.startswith(beginning_of_part(query)) for part in parts)]


def test_a_name_has_few_parts() -> None:
    assert name_parts("alice", "Alice") == ["alice"]
    assert len(name_parts("x" * 32, "田" * 40)) <= 80
