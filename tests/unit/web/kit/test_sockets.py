"""Who opens a websocket, told from its handshake."""

from typing import Any

import pytest
from flask import Flask

from chatroom.base.config import Settings
from chatroom.people.first_account import first_code
from chatroom.services import Services
from chatroom.web.kit.sockets import address_of, bearer_of, is_own_origin, is_secure, sign_in
from tests.conftest import MakeApp, services_of, signed_in, visitor
from tests.visitors import OTHER_CREDENTIALS, PASSWORD, Visitor, hidden_fields


def scope(scheme: str = "ws", client: tuple[str, int] | None = ("192.0.2.1", 5), **headers: str) -> dict[str, Any]:
    """A handshake; `x_forwarded_for` is the header X-Forwarded-For."""
    pairs = [(name.replace("_", "-").encode(), value.encode("latin-1")) for name, value in headers.items()]
    return {"type": "websocket", "scheme": scheme, "client": client, "headers": pairs}


def cookie_of(person: Visitor) -> str:
    cookie = person.get_cookie("session")
    assert cookie
    return f"theme=dark; session={cookie.value}"


def token_of(services: Services) -> str:
    user = services.people.users.find_by_username("alice")
    assert user
    return services.people.sessions.create_token(user, label="bot")


class TestSignIn:
    def test_by_cookie(self, app: Flask, alice: Visitor) -> None:
        found = sign_in(app, scope(cookie=cookie_of(alice)))
        assert found
        assert found.person.name == "Alice"
        assert found.address == "192.0.2.1"
        assert found.is_by_cookie
        [session] = services_of(app).people.sessions.list_for(
            services_of(app).people.users.find(found.person.id)  # type: ignore[arg-type]
        )
        assert (found.session_id, found.expires_at) == (session.id, session.expires_at)

    @pytest.mark.parametrize("word", ["Bearer", "bearer", "BEARER"])
    def test_by_token(self, app: Flask, alice: Visitor, word: str) -> None:
        found = sign_in(app, scope(authorization=f"{word} {token_of(services_of(app))}"))
        assert found
        assert found.person.name == "Alice"
        assert not found.is_by_cookie

    def test_a_token_has_priority_over_a_cookie(self, app: Flask, alice: Visitor, bob: Visitor) -> None:
        """So that a request without Origin check is one without cookie."""
        token = f"Bearer {token_of(services_of(app))}"
        found = sign_in(app, scope(cookie=cookie_of(bob), authorization=token))
        assert found
        assert found.person.name == "Alice"
        for other in OTHER_CREDENTIALS:
            assert sign_in(app, scope(cookie=cookie_of(bob), authorization=other)) is None, other

    @pytest.mark.parametrize(
        "headers",
        [
            {},
            {"cookie": ""},
            {"cookie": "session"},
            {"cookie": "session=forged"},
            {"cookie": "\xff"},
            {"authorization": "Bearer"},
            {"authorization": "Bearer forged"},
            {"authorization": "Basic YWxpY2U6eA=="},
        ],
        ids=str,
    )
    def test_anonymous(self, app: Flask, alice: Visitor, headers: dict[str, str]) -> None:
        """W01."""
        assert sign_in(app, scope(**headers)) is None

    def test_logged_out(self, app: Flask, alice: Visitor) -> None:
        """S03, W01."""
        cookie = cookie_of(alice)
        alice.log_out()
        assert sign_in(app, scope(cookie=cookie)) is None

    def test_a_token_is_no_cookie_and_a_cookie_no_token(self, app: Flask, alice: Visitor) -> None:
        services = services_of(app)
        user = services.people.users.find_by_username("alice")
        assert user
        secret = services.people.sessions.begin(user, label="", address="")
        assert sign_in(app, scope(authorization=f"Bearer {secret}")) is None

    def test_over_tls(self, make_app: MakeApp) -> None:
        """S01."""
        app = make_app(trusted_proxies=1)
        client = visitor(app)
        tls: dict[str, Any] = {"base_url": "https://localhost", "headers": {"X-Forwarded-Proto": "https"}}
        typed = {"username": "alice", "display_name": "Alice", "password": PASSWORD, "password_again": PASSWORD}
        typed["invite"] = first_code(app.secret_key)
        client.post("/register", data={**hidden_fields(client.get("/register", **tls)), **typed}, **tls)
        cookie = client.get_cookie("__Host-session")
        assert cookie
        header = f"__Host-session={cookie.value}"
        assert sign_in(app, scope(cookie=header, x_forwarded_proto="https"))
        assert sign_in(app, scope("wss", cookie=header))
        assert sign_in(app, scope(cookie=header)) is None

    def test_the_cookie_of_a_plain_visitor_is_not_good_over_tls(self, app: Flask, alice: Visitor) -> None:
        assert sign_in(app, scope("wss", cookie=cookie_of(alice))) is None


class TestOrigin:
    OWN = Settings(mongo_uri="mongomock://")

    @pytest.mark.parametrize(
        ("origin", "is_own"),
        [
            ("http://chat.example:5000", True),
            ("http://evil.example", False),
            ("null", False),
            ("", False),
            ("https://chat.example:5000", False),
            ("http://chat.example", False),
            ("http://chat.example:5001", False),
            ("http://chat.example:5000.evil.example", False),
            ("http://evil.example/chat.example:5000", False),
            ("HTTP://chat.example:5000", False),
            ("http://chat.example:5000/", False),
            ("http://chat.example:5000, http://evil.example", False),
            ("http://user@chat.example:5000", False),
        ],
    )
    def test_c04_only_our_own(self, origin: str, is_own: bool) -> None:
        """C04, C05."""
        assert is_own_origin(scope(host="chat.example:5000", origin=origin), self.OWN) is is_own

    def test_c05_none_is_not_ours(self) -> None:
        """C05."""
        assert not is_own_origin(scope(host="chat.example"), self.OWN)
        assert not is_own_origin(scope(origin="http://"), self.OWN)

    @pytest.mark.parametrize("proxies", [0, 1])
    def test_c06_a_forwarded_host_is_not_believed(self, proxies: int) -> None:
        """C06."""
        handshake = scope(host="chat.example", origin="http://evil.example", x_forwarded_host="evil.example")
        assert not is_own_origin(handshake, Settings(trusted_proxies=proxies))

    def test_over_tls(self) -> None:
        handshake = scope(host="chat.example", origin="https://chat.example", x_forwarded_proto="https")
        assert is_own_origin(handshake, Settings(trusted_proxies=1))
        assert not is_own_origin(handshake, self.OWN)
        assert is_own_origin(scope("wss", host="chat.example", origin="https://chat.example"), self.OWN)

    @pytest.mark.parametrize(
        ("host", "is_own"), [("chat.example", True), ("a.b.example", True), ("evil.example", False)]
    )
    def test_hosts_that_are_not_served(self, host: str, is_own: bool) -> None:
        """C06, S08: a name that leads here without being ours."""
        settings = Settings(allowed_hosts="chat.example, .b.example")
        assert is_own_origin(scope(host=host, origin=f"http://{host}"), settings) is is_own


class TestAddress:
    @pytest.mark.parametrize(
        ("proxies", "forwarded", "address"),
        [
            (0, "203.0.113.1", "192.0.2.1"),
            (1, "203.0.113.1", "203.0.113.1"),
            (1, "forged, 203.0.113.1", "203.0.113.1"),
            (2, "forged, 203.0.113.1, 203.0.113.2", "203.0.113.1"),
            (2, "203.0.113.1", "192.0.2.1"),
            (1, "", "192.0.2.1"),
        ],
    )
    def test_o03_only_trusted_proxies_are_believed(self, proxies: int, forwarded: str, address: str) -> None:
        """O03: as on pages."""
        assert address_of(scope(x_forwarded_for=forwarded), proxies) == address

    def test_a_unix_socket_has_none(self) -> None:
        assert address_of(scope(client=None), 0) == ""

    def test_several_headers_are_one(self) -> None:
        handshake = scope()
        handshake["headers"] = [(b"x-forwarded-for", b"forged"), (b"x-forwarded-for", b"203.0.113.1")]
        assert address_of(handshake, 1) == "203.0.113.1"

    def test_tls_is_read_from_the_scheme_and_the_header(self) -> None:
        assert is_secure(scope("wss"), 0)
        assert is_secure(scope("ws", x_forwarded_proto="https"), 1)
        assert not is_secure(scope("wss", x_forwarded_proto="http"), 1)


def test_bearers() -> None:
    assert bearer_of("Bearer abc") == bearer_of("bearer  abc ") == "abc"
    assert bearer_of("Basic abc") == bearer_of("") == bearer_of("abc") == ""
    assert bearer_of(None) is None


def test_sessions_of_one_app_are_anonymous_in_another(make_app: MakeApp) -> None:
    one, other = make_app(), make_app()
    assert sign_in(other, scope(cookie=cookie_of(signed_in(one, "alice")))) is None
