"""I09: Every address with what the database has no form for, as an administrator, on a real database."""

import logging
import secrets
from urllib.parse import quote

import pytest
from flask import Flask
from werkzeug.routing import IntegerConverter, Rule

from chatroom.mongo.embedded import EmbeddedMongo
from tests.conftest import MakeApp, signed_in
from tests.visitors import Visitor

pytestmark = pytest.mark.integration

ODD = [("a\0b", 2**63), ("\U0010ffff", 10**30)]
NAMES = ["q", "after", "before", "at", "limit", "act", "actor", "subject", "room", "since", "until", "format", "next"]
LEFT_OUT = {"accounts.logout", "static"}


@pytest.fixture
def odd_app(make_app: MakeApp, mongod: EmbeddedMongo) -> Flask:
    return make_app(mongo_uri=mongod.root_uri, mongo_db=f"test_{secrets.token_hex(4)}")


def paths(rule: Rule, text: str, number: int) -> list[str]:
    """The address with an odd text in each of its parts, and the plain one with odd parameters."""
    path = str(rule)
    plain = path
    for name, converter in rule._converters.items():
        is_number = isinstance(converter, IntegerConverter)
        path = path.replace(f"<int:{name}>" if is_number else f"<{name}>", str(number) if is_number else quote(text))
        usual = "lobby" if name == "slug" else "0" * 24
        plain = plain.replace(f"<int:{name}>" if is_number else f"<{name}>", "1" if is_number else usual)
    asked = [f"{plain}?{name}={value}" for name in NAMES for value in (quote(text), number)]
    return [path, *asked] if "<" not in path else asked


def test_odd_questions_are_no_fault_of_the_database(odd_app: Flask, caplog: pytest.LogCaptureFixture) -> None:
    """I09: neither an error of ours, nor said to be one of the database."""
    alice: Visitor = signed_in(odd_app, "alice")
    alice.say("hello")
    rules = [rule for rule in odd_app.url_map.iter_rules() if "GET" in rule.methods and rule.endpoint not in LEFT_OUT]
    asked = [path for rule in rules for each in ODD for path in paths(rule, *each)]
    found = {}
    with caplog.at_level(logging.WARNING):
        for path in asked:
            with alice.get(path) as answer:
                found[path] = answer.status_code
    assert {path: status for path, status in found.items() if status >= 500} == {}
    assert [record.getMessage() for record in caplog.records if "database" in record.getMessage()] == []
