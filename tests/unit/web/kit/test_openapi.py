"""The OpenAPI document and its page: every route of the API is in them, as it is."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from msgspec import json as msgspec_json

from chatroom.live.protocol import WireMessage
from chatroom.web.kit.openapi import make_document, operation
from chatroom.web.messages.messages_api import Changes, Post
from tests.visitors import LOBBY, Visitor, post

METHODS = {"GET", "POST", "PUT", "PATCH", "DELETE"}


@pytest.fixture
def document(client: Visitor) -> dict[str, Any]:
    answer = client.get("/api/openapi.json")
    assert answer.content_type == "application/json"
    return dict(answer.get_json())


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, each in methods.items():
            yield path, method.upper(), each


def test_every_route_of_the_api_is_in_it(app: Flask, document: dict[str, Any]) -> None:
    rules = {
        (re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule), method)
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith("/api")
        for method in METHODS & (rule.methods or set())
    }
    assert {(path, method) for path, method, _ in operations(document)} == rules


def test_a_route_without_an_operation_is_reported(app: Flask) -> None:
    app.add_url_rule("/api/silent", endpoint="silent", view_func=lambda: "")
    with pytest.raises(LookupError, match="/api/silent has no @operation"):
        make_document(app, title="Chatroom", version="0")


def test_operations_have_names_of_a_verb_and_a_noun_and_are_grouped_by_tags(document: dict[str, Any]) -> None:
    """The function names and the modules of generated clients."""
    names = [each["operationId"] for _, _, each in operations(document)]
    assert len(names) == len(set(names))
    assert {"post_message", "list_messages", "edit_message", "delete_message", "list_rooms", "join_room"} <= set(names)
    assert all("_" in name for name in names)
    tags = {tag for _, _, each in operations(document) for tag in each["tags"]}
    assert tags == {"messages", "rooms", "people", "files", "search", "notifications", "reference"}


def test_every_reference_has_a_target(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    named = set(re.findall(r'"#/components/schemas/(\w+)"', json.dumps(document)))
    assert named <= set(schemas)
    assert {Post.__name__, Changes.__name__, WireMessage.__name__, "ErrorAnswer"} <= set(schemas)


def test_patterns_are_those_of_json_schema(document: dict[str, Any]) -> None:
    assert "\\Z" not in json.dumps(document)


def test_permissions_are_documented(document: dict[str, Any]) -> None:
    assert document["paths"]["/api/openapi.json"]["get"]["security"] == []
    route = document["paths"]["/api/rooms/{slug}/messages"]
    assert route["get"]["security"] == [{"token": []}, {"session": []}]
    assert route["post"]["security"] == [{"token": []}, {"session": [], "csrf": []}]
    assert (route["get"]["x-scope"], route["post"]["x-scope"]) == ("read", "post")


def test_responses_match_the_document(alice: Visitor) -> None:
    post(alice, "*hi*", client_id="a1")
    assert msgspec_json.decode(alice.get(LOBBY).data, type=Changes).messages[0].text == "*hi*"


def test_operations_describe_themselves_by_their_docstring() -> None:
    @operation("read", {})
    def view() -> None:
        """Do it.

        As one
        expects.
        """

    assert (view.operation.summary, view.operation.description) == ("Do it", "As one expects.")  # type: ignore[attr-defined]


class TestPage:
    def test_shows_every_operation(self, client: Visitor, document: dict[str, Any]) -> None:
        page = client.get("/api/docs")
        assert page.mimetype == "text/html"
        for path, method, each in operations(document):
            assert f'<span class="reference__method">{method}</span> <code>{path}</code>' in page.text
            assert each["summary"] in page.text

    def test_shows_how_to_ask(self, client: Visitor) -> None:
        text = client.get("/api/docs").text
        assert "curl -X POST" in text
        assert "/api/rooms/lobby/messages" in text
        assert "Authorization: Bearer $TOKEN" in text

    def test_needs_nothing_from_elsewhere(self, client: Visitor) -> None:
        sources = re.findall(r'(?:src|href)="(https?:[^"]+)"', client.get("/api/docs").text)
        assert sources == []

    def test_references_within_it_lead_somewhere(self, client: Visitor) -> None:
        text = client.get("/api/docs").text
        ids = set(re.findall(r'\bid="([^"]+)"', text))
        assert set(re.findall(r'href="#([^"]+)"', text)) <= ids
