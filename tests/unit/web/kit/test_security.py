"""What every request and answer goes through."""

import pytest
from flask import Flask

from chatroom.services import Services
from chatroom.web.kit.security import CSP, safe_next
from tests.conftest import MakeApp, visitor
from tests.visitors import PASSWORD, Visitor, problem

PAGES = ["/", "/register", "/login", "/chatroom", "/account", "/nothing-here", "/api/rooms/lobby/messages", "/livez"]
TYPED = {
    "/login": {"username": "alice", "password": PASSWORD},
    "/register": {
        "username": "carol",
        "display_name": "Carol",
        "password": PASSWORD,
        "password_again": PASSWORD,
        "invite": "",
    },
    "/chatroom": {"text": "hello"},
    "/chatroom/lobby": {"text": "hello"},
    "/logout": {},
    "/account/password": {
        "current_password": PASSWORD,
        "password": "another good one",
        "password_again": "another good one",
    },
    "/account/sessions/end-others": {},
}


@pytest.fixture
def state(services: Services) -> object:
    """What must not change."""

    def look() -> tuple[int, int, int]:
        database = services.database
        return (
            database["users"].count_documents({"password_version": 1}),
            database["messages"].count_documents({}),
            database["sessions"].count_documents({"ended_at": None}),
        )

    return look


@pytest.mark.parametrize("path", TYPED)
@pytest.mark.parametrize("token", ["", "forged", "another session's"])
def test_c01_every_form_needs_its_token(app: Flask, alice: Visitor, path: str, token: str, state: object) -> None:
    """C01: log-in included."""
    assert callable(state)
    before = state()
    if token.startswith("another"):
        token = visitor(app).fields("/login")["csrf_token"]
    response = alice.post(path, data={**TYPED[path], **({"csrf_token": token} if token else {})})
    assert response.status_code == 400
    assert state() == before
    assert alice.is_signed_in


@pytest.mark.parametrize("path", ["/login", "/register", "/chatroom"])
def test_an_expired_form_is_shown_again_with_the_typed_text(alice: Visitor, path: str) -> None:
    """C01."""
    response = alice.post(path, data=TYPED[path])
    assert problem(response) == "This form has expired. Please send it again."
    for name, value in TYPED[path].items():
        assert (value in response.text) == ("password" not in name)


@pytest.mark.parametrize("path", [*TYPED, "/api/rooms/lobby/messages"])
def test_c02_other_sites_cannot_post(alice: Visitor, path: str, state: object) -> None:
    """C02: whatever token comes along."""
    assert callable(state)
    headers = {"Sec-Fetch-Site": "cross-site", **alice.csrf()}
    before = state()
    typed = {**TYPED.get(path, {}), "csrf_token": headers["X-CSRFToken"]}
    assert alice.post(path, data=typed, headers=headers).status_code == 403
    assert state() == before


@pytest.mark.parametrize("site", ["same-origin", "none", "same-site"])
def test_c02_the_sites_own_pages_can(alice: Visitor, site: str) -> None:
    assert alice.say("hello", headers={"Sec-Fetch-Site": site}).status_code == 303  # type: ignore[arg-type]


def test_links_from_other_sites_work(alice: Visitor) -> None:
    assert alice.get("/chatroom", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 200


@pytest.mark.parametrize("path", PAGES)
def test_x03_every_page_has_the_headers(alice: Visitor, path: str) -> None:
    """X03."""
    headers = alice.get(path).headers
    assert headers["Content-Security-Policy"] == CSP.format(frame_ancestors="'none'")
    for directive in ("default-src 'self'", "object-src 'none'", "base-uri 'none'", "form-action 'self'"):
        assert directive in headers["Content-Security-Policy"]
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert "camera=()" in headers["Permissions-Policy"]
    assert "Strict-Transport-Security" not in headers
    assert "Server" not in headers


@pytest.mark.parametrize("name", ["css/site.css", "pages/chat.js", "emoji/emoji.json"])
def test_x03_parts_of_pages_have_the_headers_that_apply_to_them(client: Visitor, name: str) -> None:
    with client.get(f"/static/{name}") as answer:
        headers = dict(answer.headers)
    assert headers["Content-Security-Policy"] == "default-src 'none'"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert sum(len(f"{name}: {value}\r\n") for name, value in headers.items()) < 450
    assert "Date" not in headers, "the server sends one"


@pytest.mark.parametrize("name", ["offline.html", "favicon.svg"])
def test_x03_static_pages_have_all_headers(client: Visitor, name: str) -> None:
    with client.get(f"/static/{name}") as answer:
        assert answer.headers["X-Frame-Options"] == "DENY"
        assert answer.headers["Content-Security-Policy"].startswith("default-src 'self'")


def test_x03_the_frame_may_be_embedded_in_own_pages(alice: Visitor) -> None:
    headers = alice.get("/chatroom/lobby/messages").headers
    assert "frame-ancestors 'self'" in headers["Content-Security-Policy"]
    assert headers["X-Frame-Options"] == "SAMEORIGIN"


def test_x03_tls_is_remembered(client: Visitor) -> None:
    headers = client.get("/", base_url="https://localhost").headers
    assert headers["Strict-Transport-Security"] == "max-age=31536000"


@pytest.mark.parametrize(
    "path", ["/chatroom", "/account", "/chatroom/lobby/messages", "/api/rooms/lobby/messages", "/"]
)
def test_s08_nothing_is_left_behind(alice: Visitor, path: str) -> None:
    """S08."""
    headers = alice.get(path).headers
    assert headers["Cache-Control"] == "no-store"
    assert "Cookie" in headers["Vary"]


@pytest.mark.parametrize(
    ("host", "status"),
    [("chat.example", 200), ("chat.example:8080", 200), ("a.sub.example", 200), ("evil.example", 400), ("", 400)],
)
def test_s08_other_hosts_are_not_served(make_app: MakeApp, host: str, status: int) -> None:
    """S08."""
    client = visitor(make_app(allowed_hosts="chat.example, .sub.example"))
    response = client.get("/login", headers={"Host": host, "X-Forwarded-Host": "chat.example"})
    assert response.status_code == status
    if status == 400:
        assert "this site does not serve this host" in response.text
        assert "nosniff" in response.headers["X-Content-Type-Options"]


@pytest.mark.parametrize("host", ["127.0.0.1:5000", "10.0.0.7", "[::1]", "", "evil.example", "not/a host"])
@pytest.mark.parametrize("hosts", ["chat.example", ".chat.example", ""])
def test_health_checks_are_answered_for_every_host(make_app: MakeApp, hosts: str, host: str) -> None:
    client = visitor(make_app(allowed_hosts=hosts))
    for path, text in {"/livez": "alive\n", "/readyz": "ready\n"}.items():
        response = client.get(path, headers={"Host": host})
        assert (response.status_code, response.text) == (200, text)


@pytest.mark.parametrize(
    ("proxies", "forwarded", "address"),
    [
        (0, "203.0.113.1", "127.0.0.1"),
        (1, "203.0.113.1", "203.0.113.1"),
        (1, "198.51.100.66, 203.0.113.1", "203.0.113.1"),
        (2, "198.51.100.66, 203.0.113.1, 203.0.113.2", "203.0.113.1"),
    ],
)
def test_o03_only_trusted_proxies_are_believed(make_app: MakeApp, proxies: int, forwarded: str, address: str) -> None:
    """O03: the last hop, and never the host."""
    client = visitor(make_app(trusted_proxies=proxies))
    client.register("alice")
    forged = {"X-Forwarded-For": forwarded, "X-Forwarded-Host": "evil.example", "X-Forwarded-Prefix": "/evil"}
    client.submit("/login", username="alice", password=PASSWORD, headers=forged)
    page = client.get("/account").text
    assert f"{address} ·" in page
    assert "evil" not in page


@pytest.mark.parametrize(("size", "status"), [(200_000, 400), (300_000, 413), (1_000_000, 413)])
def test_l03_large_bodies_are_refused(alice: Visitor, size: int, status: int) -> None:
    """L03."""
    response = alice.say("x" * size)
    assert response.status_code == status


def test_l03_without_a_limit_there_is_none(make_app: MakeApp) -> None:
    client = visitor(make_app(max_request_bytes=0, max_message_length=0))
    client.register("alice")
    assert client.say("x" * 300_000).status_code == 303


@pytest.mark.parametrize("content_type", ["application/x-www-form-urlencoded", "multipart/form-data"])
def test_l03_many_fields_are_refused(alice: Visitor, content_type: str) -> None:
    """L03."""
    fields = {f"field{n}": "x" for n in range(1000)}
    response = alice.post("/login", data=fields, content_type=content_type)
    assert response.status_code == 413
    assert "Too large" in response.text


@pytest.mark.parametrize("method", ["GET", "OPTIONS", "POST"])
@pytest.mark.parametrize("path", ["/api/rooms/lobby/messages", "/chatroom", "/"])
def test_c07_other_sites_learn_nothing(alice: Visitor, method: str, path: str) -> None:
    """C07: no answer is for another origin."""
    headers = alice.open(path, method=method, headers={"Origin": "https://evil.example"}).headers
    assert not any(name.lower().startswith("access-control-") for name in headers.keys())  # noqa: SIM118


@pytest.mark.parametrize("target", ["/", "/a", "/a?b=c&d=//e", "/chatroom/zoë", "/a#b"])
def test_paths_of_the_site(target: str) -> None:
    assert safe_next(target) == target


@pytest.mark.parametrize(
    "target",
    [
        None,
        "",
        "a",
        "//a",
        "///a",
        "/\\a",
        "\\/a",
        "http:/a",
        "https://a",
        "/a\nb",
        "/a b",
        "/\x00",
        "/\x7f",
        "javascript:0",
        "/\t/a",
        "//[",
        "/" + "a" * 2000,
        " /a",
    ],
)
def test_everything_else_is_not(target: str | None) -> None:
    assert safe_next(target) == ""
