from typing import Any

import pytest
from flask import Flask

from chatroom.asgi.request_queue import PERSON
from chatroom.base.threads import current_lane
from chatroom.services import Services
from chatroom.web.files.files import is_upload
from chatroom.web.kit.lanes import find_credential, lane_of
from tests.visitors import Visitor

FORM = "application/x-www-form-urlencoded"
FILES = "multipart/form-data; boundary=x"


def scope(path: str, method: str = "GET", **headers: str) -> dict[str, Any]:
    named = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return {"path": path, "method": method, "headers": named}


@pytest.mark.parametrize(
    ("method", "path", "type", "lane"),
    [
        ("GET", "/livez", "", "probes"),
        ("HEAD", "/readyz", "", "probes"),
        ("GET", "/login", "", "pages"),
        ("POST", "/login", FORM, "passwords"),
        ("POST", "/register", FORM, "passwords"),
        ("POST", "/reset/abc", FORM, "passwords"),
        ("POST", "/account/password", FORM, "passwords"),
        ("POST", "/account/delete", FORM, "passwords"),
        ("POST", "/account/tokens", FORM, "passwords"),
        ("POST", "/account/avatar", FILES, "pictures"),
        ("POST", "/api/rooms/lobby/files", FORM, "pictures"),
        ("POST", "/chatroom/lobby", FILES, "pictures"),
        ("POST", "/chatroom/lobby", "Multipart/Form-Data; boundary=x", "pictures"),
        ("POST", "/chatroom/lobby", FORM, "pages"),
        ("POST", "/chatroom", FILES, "pictures"),
        ("GET", "/chatroom/lobby", "", "pages"),
        ("POST", "/chatroom/lobby/webhooks", FORM, "names"),
        ("POST", "/api/push/subscriptions", "application/json", "names"),
        ("GET", "/static/css/chat.css", "", "static"),
        ("GET", "/service-worker.js", "", "static"),
        ("GET", "/manifest.webmanifest", "", "static"),
        ("GET", "/nowhere", "", "pages"),
        ("PUT", "/login", "", "pages"),
        ("GET", "//login\ud800", "", "pages"),
    ],
)
def test_the_lane_of_a_request(app: Flask, method: str, path: str, type: str, lane: str) -> None:
    """L16."""
    assert lane_of(app)(scope(path, method, content_type=type)) == lane


@pytest.mark.parametrize(
    ("type", "is_one"), [(FILES, True), ("Multipart/FORM-Data; boundary=x", True), (FORM, False), ("", False)]
)
def test_a_form_with_files_is_one_however_its_type_is_written(type: str, is_one: bool) -> None:
    """L16."""
    assert is_upload(scope("/chatroom/lobby", "POST", content_type=type)) is is_one


@pytest.mark.parametrize(
    ("headers", "credential"),
    [
        ({}, ""),
        ({"cookie": "theme=dark"}, ""),
        ({"cookie": "theme=dark; session=abc.d"}, "abc.d"),
        ({"cookie": "theirsession=same; session=abc.d"}, "abc.d"),
        ({"cookie": "theirsession=same"}, ""),
        ({"cookie": "__Host-session=abc.d; theme=dark"}, ""),
        ({"cookie": "session=abc.d", "authorization": "Bearer x"}, "x"),
        ({"cookie": "session=abc.d", "authorization": "Basic same"}, "abc.d"),
        ({"authorization": "Basic same"}, ""),
    ],
)
def test_credentials_of_a_request(headers: dict[str, str], credential: str) -> None:
    """L16: what many send alike makes no one person of them."""
    assert find_credential(0, scope("/", **headers)) == credential


def test_over_tls_a_planted_cookie_is_ignored() -> None:
    """L16."""
    sent = scope("/", cookie="session=planted; __Host-session=abc.d", x_forwarded_proto="https")
    assert find_credential(1, sent) == "abc.d"
    assert find_credential(1, scope("/", cookie="session=planted", x_forwarded_proto="https")) == ""


def test_the_queue_learns_the_user_of_a_request(alice: Visitor, client: Visitor, services: Services) -> None:
    user = services.people.users.find_by_username("alice")
    assert user
    token = services.people.sessions.create_token(user, label="test")
    for visitor, path, headers, person in (
        (alice, "/account", {}, user.id),
        (client, "/api/rooms", {"Authorization": f"Bearer {token}"}, user.id),
        (client, "/api/rooms", {"Authorization": "Bearer wrong"}, None),
        (client, "/login", {}, None),
    ):
        told: dict[str, Any] = {}
        visitor.get(path, headers=headers, environ_overrides={"asgi.scope": told})
        assert told.get(PERSON) == person


def test_the_lane_ends_with_the_request(alice: Visitor) -> None:
    alice.get("/account")
    assert current_lane.get() is None
