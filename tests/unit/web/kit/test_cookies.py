"""The session cookie, in requests and outside of them."""

import pytest
from flask import Flask
from flask.sessions import SecureCookieSessionInterface
from werkzeug.test import TestResponse

from chatroom.web.kit.cookies import find_secret
from tests.conftest import MakeApp, services_of, signed_in, visitor
from tests.visitors import Visitor

HTTPS = "https://localhost"


def cookie_of(person: Visitor, name: str = "session") -> str:
    cookie = person.get_cookie(name)
    assert cookie
    return cookie.value


def set_cookie(response: TestResponse) -> set[str]:
    return set(response.headers["Set-Cookie"].split("; ")[1:])


def test_over_plain_http(client: Visitor) -> None:
    response = client.register("alice")
    assert response.headers["Set-Cookie"].startswith("session=")
    attributes = set_cookie(response)
    assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= attributes
    assert "Secure" not in attributes


def test_over_tls(make_app: MakeApp) -> None:
    """S01."""
    client = visitor(make_app(trusted_proxies=1))
    response = client.get("/login", headers={"X-Forwarded-Proto": "https"})
    assert response.headers["Set-Cookie"].startswith("__Host-session=")
    attributes = set_cookie(response)
    assert {"Secure", "HttpOnly", "SameSite=Lax", "Path=/"} <= attributes
    assert not any(attribute.startswith("Domain") for attribute in attributes)


def test_it_outlives_the_tab(alice: Visitor) -> None:
    """A5."""
    cookie = alice.get_cookie("session")
    assert cookie
    assert cookie.expires


def test_a_cookie_planted_over_plain_http_is_not_looked_at(app: Flask, alice: Visitor) -> None:
    """S01."""
    client = visitor(app)
    client.set_cookie("session", cookie_of(alice))
    assert client.get("/chatroom", base_url=HTTPS).status_code == 303


@pytest.mark.parametrize(
    "value", ["", "x", "e30.x.y", "eyJfdXNlcl9pZCI6ICJ4In0.aaaa.bbbb", "\xff", '"', pytest.param("." * 5000, id="long")]
)
def test_a_forged_cookie_is_anonymous(client: Visitor, app: Flask, value: str) -> None:
    """S07, W01."""
    assert client.get("/chatroom", headers={"Cookie": f"session={value}"}).status_code == 303
    assert find_secret(app, f"session={value}", is_secure=False) is None


def test_a_cookie_of_another_key_is_anonymous(make_app: MakeApp) -> None:
    """S07."""
    app, other = make_app(), make_app(secret_key="o" * 32)
    cookie = cookie_of(signed_in(other, "alice"))
    client = visitor(app)
    client.set_cookie("session", cookie)
    assert client.get("/chatroom").status_code == 303
    assert find_secret(app, f"session={cookie}", is_secure=False) is None
    assert find_secret(other, f"session={cookie}", is_secure=False)


def test_a_fallback_key_is_valid_until_it_is_removed(app: Flask, alice: Visitor) -> None:
    """S07."""
    cookie, services = cookie_of(alice), services_of(app)
    app.config["SECRET_KEY_FALLBACKS"] = [services.secret_key]
    services.secret_key = "n" * 32
    assert alice.is_signed_in
    secret = find_secret(app, f"session={cookie}", is_secure=False)
    assert secret
    assert services.people.sessions.find_valid(secret)
    app.config["SECRET_KEY_FALLBACKS"] = None
    client = visitor(app)
    client.set_cookie("session", cookie)
    assert not client.is_signed_in
    assert find_secret(app, f"session={cookie}", is_secure=False) is None


def test_fallbacks_come_from_the_settings(make_app: MakeApp) -> None:
    app = make_app(secret_key_fallbacks=f"{'a' * 32}, {'b' * 32}")
    assert app.config["SECRET_KEY_FALLBACKS"] == ["a" * 32, "b" * 32]


def test_signed_values_without_a_secret(app: Flask) -> None:
    """W01: an anonymous visitor's cookie, and ones that say odd things."""
    interface = app.session_interface
    assert isinstance(interface, SecureCookieSessionInterface)
    serializer = interface.get_signing_serializer(app)
    assert serializer
    for content in ({}, {"csrf_token": "x"}, {"_user_id": 7}, {"_user_id": {"$ne": 1}}, [], "x"):
        value = serializer.dumps(content)
        assert find_secret(app, f"a=b; session={value}", is_secure=False) is None
        client = visitor(app)
        client.set_cookie("session", str(value))
        if isinstance(content, dict):
            assert client.get("/chatroom").status_code == 303


def test_without_a_key_everybody_is_anonymous(app: Flask) -> None:
    app.secret_key = None
    assert find_secret(app, "session=x", is_secure=False) is None


def test_only_the_cookie_of_the_connections_kind_counts(app: Flask, alice: Visitor) -> None:
    cookie = cookie_of(alice)
    assert find_secret(app, f"session={cookie}", is_secure=True) is None
    assert find_secret(app, f"__Host-session={cookie}", is_secure=True)
