"""Errors as people and programs see them."""

import pytest
from flask import Flask, abort, redirect

from chatroom.base.errors import Refused, SettingsError, Unavailable
from chatroom.services import Services
from tests.conftest import MakeApp, visitor
from tests.visitors import Visitor

SECRET = "mongodb://root:hunter22@db/"


def refuse() -> None:
    raise Refused("too_fast", "You are sending too fast.", retry_after=1.2)


def be_away() -> None:
    raise Unavailable("The database does not answer right now.")


def be_wrong() -> None:
    raise SettingsError(f"MONGO_URI={SECRET} cannot be used")


def break_down() -> None:
    raise RuntimeError(SECRET)


def not_found() -> None:
    abort(404)


def lead_away() -> None:
    abort(redirect("/login"))


@pytest.fixture
def broken(make_app: MakeApp) -> Visitor:
    app = make_app()
    for view in (refuse, be_away, be_wrong, break_down, not_found, lead_away):
        name = view.__name__
        app.add_url_rule(f"/{name}", f"page-{name}", view)
        app.add_url_rule(f"/api/{name}", f"api-{name}", view)
    return visitor(app)


def test_o06_a_failed_request_is_logged_without_its_address(
    make_app: MakeApp, caplog: pytest.LogCaptureFixture
) -> None:
    """O06: the address of a reset link, an invite or a webhook is a secret."""
    app = make_app()
    app.before_request(break_down)
    for path in ("/reset/a-secret", "/join/a-secret", "/hooks/a-secret", "/nothing/a-secret?code=a-secret"):
        visitor(app).get(path)
    failed = [record for record in caplog.records if record.getMessage() == "a request failed"]
    assert [vars(record)["route"] for record in failed] == ["accounts.reset", "invitations.show", "none", "none"]
    assert "a-secret" not in caplog.text


@pytest.mark.parametrize(
    ("name", "status", "title", "reason", "retry_after"),
    [
        ("refuse", 429, "Too many requests", "too_fast", "2"),
        ("be_away", 503, "Not available right now", "unavailable", "5"),
        ("be_wrong", 503, "Not available right now", "unavailable", None),
        ("break_down", 500, "Something went wrong", "unavailable", None),
        ("not_found", 404, "Not found", "not_found", None),
        ("nothing-there", 404, "Not found", "not_found", None),
    ],
)
def test_a_page_and_json(
    broken: Visitor, name: str, status: int, title: str, reason: str, retry_after: str | None
) -> None:
    """X04."""
    page, answer = broken.get(f"/{name}"), broken.get(f"/api/{name}")
    assert page.status_code == answer.status_code == status
    assert f'<h1 class="card__title">{title}</h1>' in page.text
    assert f'<p class="error-code">{status}</p>' in page.text
    assert page.headers.get("Retry-After") == answer.headers.get("Retry-After") == retry_after
    error = answer.get_json()["error"]
    assert error["reason"] == reason
    assert error["message"].endswith(".")
    assert ("retry_after" in error) == (retry_after is not None)
    for each in (page, answer):
        assert "hunter22" not in each.text
        assert "Traceback" not in each.text
        assert "Werkzeug" not in each.text
        assert each.headers["Cache-Control"] == "no-store"


def test_an_error_page_keeps_the_header_of_the_user(alice: Visitor, client: Visitor) -> None:
    known, stranger = alice.get("/nothing-there").text, client.get("/nothing-there").text
    assert 'action="/logout"' in known
    assert "Back to the chat" in known
    assert 'action="/logout"' not in stranger
    assert "Back to the start page" in stranger


def test_redirects_are_not_errors(broken: Visitor) -> None:
    response = broken.get("/lead_away")
    assert (response.status_code, response.location) == (302, "/login")


def test_a_method_that_is_not_there(client: Visitor) -> None:
    response = client.get("/logout")
    assert response.status_code == 405
    assert response.headers["Allow"] == "OPTIONS, POST" or "POST" in response.headers["Allow"]
    assert "This address does not accept this method." in response.text


def test_a_stale_form_without_a_page_of_its_own(alice: Visitor) -> None:
    """C01."""
    response = alice.post("/logout")
    assert response.status_code == 400
    assert "This form has expired." in response.text


def test_the_database_goes_away(alice: Visitor, services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    """F05: also while it is asked who is reading, and the page about it does not ask again."""
    asked = []

    def find_valid(*_: object) -> None:
        asked.append(1)
        raise Unavailable("The database does not answer right now.")

    monkeypatch.setattr(services.people.sessions, "find_valid", find_valid)
    for path in ("/", "/chatroom", "/account", "/api/rooms/lobby/messages", "/login"):
        asked.clear()
        response = alice.get(path)
        assert response.status_code == 503
        assert response.headers["Retry-After"] == "5"
        assert len(asked) == 1
    assert alice.get("/livez").status_code == 200


@pytest.mark.parametrize(("is_answering", "status"), [(True, 200), (False, 503)])
def test_readiness(
    app: Flask, client: Visitor, services: Services, monkeypatch: pytest.MonkeyPatch, is_answering: bool, status: int
) -> None:
    monkeypatch.setattr(services.database, "is_answering", lambda seconds: seconds <= 1 and is_answering)
    assert client.get("/readyz").status_code == status
    assert client.get("/livez").text == "alive\n"
