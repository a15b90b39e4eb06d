"""I09: Every address with what the database has no form for, as an administrator, on a real database."""

import logging
import re
import secrets
from collections.abc import Iterator
from typing import Any, ClassVar
from urllib.parse import quote

import pytest
from flask import Flask, Request
from werkzeug.datastructures import ImmutableMultiDict
from werkzeug.routing import IntegerConverter, Rule

from chatroom.mongo.embedded import EmbeddedMongo
from tests.conftest import MakeApp, signed_in
from tests.visitors import Visitor

pytestmark = pytest.mark.integration

ODD = [("a\0b", 2**63), ("\U0010ffff", 10**30)]
LEFT_OUT = {"accounts.logout", "static"}


class Parameters(ImmutableMultiDict[str, str]):
    """The parameters of a request. They remember which names an address reads."""

    read: ClassVar[set[str]] = set()
    of_api: ClassVar[set[str]] = set()
    """What addresses of the API may read: they read all parameters together."""

    def __getitem__(self, name: str) -> str:
        self.read.add(name)
        return super().__getitem__(name)

    def __contains__(self, name: object) -> bool:
        self.read.add(str(name))
        return super().__contains__(name)

    def to_dict(self, flat: bool = True) -> dict[str, Any]:
        self.read.update(self.of_api)
        return super().to_dict(flat)

    def getlist(self, name: str, type: Any = None) -> list[Any]:
        self.read.add(name)
        return super().getlist(name, type)


class Recorded(Request):
    parameter_storage_class = Parameters


@pytest.fixture
def odd_app(make_app: MakeApp, mongod: EmbeddedMongo) -> Flask:
    app = make_app(mongo_uri=mongod.root_uri, mongo_db=f"test_{secrets.token_hex(4)}")
    app.request_class = Recorded
    return app


def paths(rule: Rule, text: str, number: int) -> Iterator[str]:
    """The address with an odd text in each of its parts, and the plain one with each parameter that it has read."""
    path = str(rule)
    plain = path
    for name, converter in rule._converters.items():
        is_number = isinstance(converter, IntegerConverter)
        path = path.replace(f"<int:{name}>" if is_number else f"<{name}>", str(number) if is_number else quote(text))
        usual = "lobby" if name == "slug" else "0" * 24
        plain = plain.replace(f"<int:{name}>" if is_number else f"<{name}>", "1" if is_number else usual)
    Parameters.read.clear()
    if "<" not in path:
        yield path
    yield plain
    tried: set[str] = set()
    while left := Parameters.read - tried:
        for name in left:
            yield f"{plain}?{name}={quote(text)}"
            yield f"{plain}?{name}={number}"
        tried |= left


def test_odd_questions_are_no_fault_of_the_database(odd_app: Flask, caplog: pytest.LogCaptureFixture) -> None:
    """I09: neither an error of ours, nor said to be one of the database."""
    alice: Visitor = signed_in(odd_app, "alice")
    alice.say("hello")
    documented = alice.get("/api/openapi.json").text
    Parameters.of_api.update(re.findall(r'"name":"(\w+)","in":"query"', documented))
    rules = [rule for rule in odd_app.url_map.iter_rules() if "GET" in rule.methods and rule.endpoint not in LEFT_OUT]
    found = {}
    with caplog.at_level(logging.WARNING):
        for path in (path for rule in rules for each in ODD for path in paths(rule, *each)):
            with alice.get(path) as answer:
                found[path] = answer.status_code
    asked = {path.partition("=")[0] for path in found}
    assert {"/api/search?q", "/people?person", "/chatroom/lobby?before", "/chatroom/lobby?date"} <= asked
    assert {path: status for path, status in found.items() if status >= 500} == {}
    assert [record.getMessage() for record in caplog.records if "database" in record.getMessage()] == []
