"""Register, log in and out, one's account: what works, and what is refused."""

import re
from typing import Any

import pytest
from flask import Flask

from chatroom.base.models import User
from chatroom.people.accounts import Registration
from chatroom.people.first_account import first_code
from chatroom.services import Services
from tests.busy import all_taken
from tests.conftest import MakeApp, services_of, signed_in, visitor
from tests.visitors import NEW, PASSWORD, Visitor, problem, user_of


class TestRegister:
    def test_the_page_shows_a_rule_when_it_is_broken(self, client: Visitor) -> None:
        """C1, C2."""
        rules = {"username": "2 to 32", "display_name": "1 to 40", "password": "8 to 256"}
        page = client.get("/register")
        assert page.status_code == 200
        assert not [rule for rule in rules.values() if rule in page.text]
        page = client.submit("/register", username="!", display_name="", password="short", password_again="short")
        assert [rule for rule in rules.values() if rule not in page.text] == []

    def test_the_log_in_says_what_to_do_about_a_forgotten_password(self, client: Visitor) -> None:
        assert "Ask an administrator of this site for a reset link." in client.get("/login").text

    def test_the_index_links_here_with_the_name(self, client: Visitor) -> None:
        """A1."""
        assert 'value="zoë"' in client.get("/register?username=zoë").text

    def test_registering_signs_in(self, client: Visitor, services: Services) -> None:
        """C3, C5."""
        response = client.register("alice")
        assert response.status_code == 303
        assert response.location == "/chatroom"
        assert client.is_signed_in
        assert user_of(services, "alice").role == "administrator"

    def test_and_redirects_to_the_requested_page(self, client: Visitor) -> None:
        """C5."""
        response = client.submit(
            "/register?next=/chatroom/lobby?before=3",
            username="alice",
            display_name="Alice",
            password=PASSWORD,
            password_again=PASSWORD,
        )
        assert response.location == "/chatroom/lobby?before=3"

    @pytest.mark.parametrize(
        ("username", "display_name"), [("alice", "Somebody"), ("ＡＬＩＣＥ", "Somebody"), ("somebody", "ALICE")]
    )
    def test_a_taken_name(self, client: Visitor, alice: Visitor, username: str, display_name: str) -> None:
        """C2, C3, U01: the course's words, on the same page, with what was typed kept."""
        response = client.register(username, display_name)
        assert response.status_code == 409
        assert problem(response) == "User or displayname existed"
        assert f'value="{username}"' in response.text
        assert f'value="{display_name}"' in response.text
        assert PASSWORD not in response.text
        assert not client.is_signed_in

    @pytest.mark.parametrize(
        "typed",
        [
            {"username": "al\u200bice"},
            {"username": " alice"},
            {"username": "аlice"},
            {"username": "admin"},
            {"username": ""},
            {"display_name": "a\nb"},
            {"display_name": "😀"},
            {"password": "1234567"},
            {"password": "password1"},
            {"password": "x" * 257},
            {"password_again": "something else"},
        ],
        ids=ascii,
    )
    def test_invalid_names_and_passwords(self, client: Visitor, services: Services, typed: dict[str, str]) -> None:
        """U03, U04, U06, A02, A10."""
        fields = {"username": "alice", "display_name": "Alice", "password": PASSWORD, "password_again": PASSWORD}
        if "password" in typed:
            fields["password_again"] = typed["password"]
        response = client.submit("/register", **{**fields, **typed})
        assert response.status_code == 400
        assert "Please correct the marked fields." in problem(response)
        assert len(problem(response)) > 50
        assert services.database["users"].count_documents({}) == 0

    @pytest.mark.parametrize("password", ["x" * 72, "x" * 73, "€" * 64, "密码密码密码密码", "eight ch"])
    def test_long_and_foreign_passwords(self, app: Flask, client: Visitor, password: str) -> None:
        """A02."""
        assert client.register("alice", password=password).status_code == 303
        assert visitor(app).log_in("alice", password).status_code == 303
        assert visitor(app).log_in("alice", password[:-1]).status_code == 401

    def test_nothing_else_gets_into_the_document(self, client: Visitor, services: Services) -> None:
        """I05."""
        client.register("alice")
        client.log_out()
        client.register("bob", role="administrator", _id="1", created_at="0", is_first="1", password_hash="x")
        bob = user_of(services, "bob")
        assert bob.role == "member"
        assert bob.id != "1"

    def test_the_answer_has_no_hash(self, app: Flask, alice: Visitor) -> None:
        """A01."""
        for path in ("/account", "/chatroom", "/api/rooms/lobby/messages"):
            assert "$2b$" not in alice.get(path).text

    def test_too_many_from_one_address(self, make_app: MakeApp) -> None:
        app = make_app(register_limit_address="1 per hour")
        signed_in(app, "alice")
        response = visitor(app).register("bob")
        assert response.status_code == 429
        assert 0 < int(response.headers["Retry-After"]) <= 3600
        assert "60 minutes" in problem(response)
        assert 'value="bob"' in response.text

    def test_an_address_with_another_port_is_the_same_address(self, make_app: MakeApp) -> None:
        """As gateways write it that keep the port of the client."""
        app = make_app(register_limit_address="2 per hour", trusted_proxies=1)
        statuses = [
            visitor(app).register(name, headers={"X-Forwarded-For": f"203.0.113.9:{port}"}).status_code
            for name, port in [("alice", 40001), ("bob", 40002), ("carol", 40003)]
        ]
        assert statuses == [303, 303, 429]

    def test_closed(self, make_app: MakeApp) -> None:
        client = visitor(make_app(registration="closed"))
        page = client.get("/register")
        assert page.status_code == 403
        assert "<form" not in page.text.split("<main")[1]
        hidden = client.fields("/login")
        fields = {"username": "alice", "display_name": "Alice", "password": PASSWORD, "password_again": PASSWORD}
        assert client.post("/register", data={**hidden, **fields}).status_code == 403

    def test_by_invitation(self, make_app: MakeApp) -> None:
        app = make_app(registration="invite")
        code = services_of(app).moderation.admission.make_invite(None, uses=1, days=7)
        assert visitor(app).register("alice", invite="nonsense").status_code == 403
        assert visitor(app).register("alice").status_code == 403
        assert visitor(app).register("alice", invite=code).status_code == 303
        assert visitor(app).register("bob", invite=code).status_code == 403


class TestFirst:
    """A13: whoever registers first where strangers can come would administer the site."""

    @pytest.fixture(params=[{"trusted_proxies": 1}, {"ip": "0.0.0.0"}], ids=str)
    def public(self, make_app: MakeApp, request: pytest.FixtureRequest) -> Flask:
        return make_app(**request.param)

    @pytest.mark.parametrize("code", ["", "guess", "\x00", "ä", first_code("another key")])
    def test_a13_without_the_code_there_is_none(self, public: Flask, code: str) -> None:
        """A13."""
        response = visitor(public).register("mallory", invite=code)
        assert response.status_code == 403
        assert "The first account needs a code" in problem(response)
        assert not services_of(public).people.users.has_any()

    def test_a13_with_the_code_it_administers_and_the_next_needs_none(self, public: Flask) -> None:
        """A13."""
        code = first_code(services_of(public).secret_key)
        assert "Enter the code that the server printed" in visitor(public).get("/register").text
        alice, bob = visitor(public), visitor(public)
        assert alice.register("alice", invite=f" {code.upper()} ").status_code == 303
        assert alice.get("/admin").status_code == 200
        assert 'name="invite"' not in bob.get("/register").text
        assert bob.register("bob").status_code == 303
        assert bob.get("/admin").status_code == 404

    def test_a13_it_needs_no_invitation_besides(self, make_app: MakeApp) -> None:
        """A13."""
        app = make_app(trusted_proxies=1, registration="invite")
        assert visitor(app).register("mallory", invite="guess").status_code == 403
        assert visitor(app).register("alice").status_code == 303
        assert visitor(app).register("bob", invite="guess").status_code == 403

    def test_a13_nor_with_an_existing_account(self, public: Flask) -> None:
        """A13: as on a site that was made before there was a code, or from the console."""
        accounts = services_of(public).people.accounts
        accounts.create(Registration(username="root-user", display_name="Rooty", password=PASSWORD))
        assert visitor(public).register("bob", invite="").status_code == 303

    def test_on_ones_own_machine_there_is_none(self, make_app: MakeApp) -> None:
        client = visitor(make_app())
        assert 'name="invite"' not in client.get("/register").text
        assert client.register("alice", invite="").status_code == 303
        assert client.get("/admin").status_code == 200


class TestLogin:
    def test_logging_in(self, app: Flask, alice: Visitor) -> None:
        """C1."""
        client = visitor(app)
        response = client.submit("/login", username="ALICE", password=PASSWORD)
        assert response.status_code == 303
        assert response.location == "/chatroom"
        assert client.is_signed_in

    def test_a_wrong_password_and_an_unknown_name_look_the_same(self, app: Flask, alice: Visitor) -> None:
        """A05, C2."""
        pages = [visitor(app).log_in(name, "guess") for name in ("alice", "nobody")]
        assert [page.status_code for page in pages] == [401, 401]
        assert {problem(page) for page in pages} == {"Wrong user name or password."}
        bodies = [
            re.sub(r'value="[^"]*"', "", page.text)  # the token, and the name as it was typed
            for page in pages
        ]
        assert bodies[0] == bodies[1]
        headers = [{name: value for name, value in page.headers if name != "Content-Length"} for page in pages]
        for each in headers:
            each.pop("Set-Cookie", None)
        assert headers[0] == headers[1]

    @pytest.mark.parametrize("password", ["", "x" * 73, "x" * 10_000, "ab", "ab\0xx", "\ufffd"])
    @pytest.mark.parametrize("username", ["alice", "nobody", "", "x" * 10_000, "a\0b", "\n\x1b[2J"])
    def test_odd_input_is_a_wrong_password(self, app: Flask, alice: Visitor, username: str, password: str) -> None:
        """A03, A04, I07."""
        assert visitor(app).log_in(username, password).status_code == 401

    @pytest.mark.parametrize(
        "body",
        [
            {"json": {"username": {"$ne": None}, "password": {"$ne": None}}},
            {"json": {"username": ["alice"], "password": 7}},
            {"json": "alice"},
            {"data": {"username[$ne]": "", "password": PASSWORD}},
            {"data": {"username[$regex]": ".*", "password[$gt]": ""}},
            {"data": {"username": "alice"}},
            {"data": {}},
            {"data": b"\xff\xfe", "content_type": "application/json"},
            {"data": "username=alice&password=x", "content_type": "text/plain"},
        ],
        ids=str,
    )
    def test_only_strings_reach_the_database(
        self, client: Visitor, alice: Visitor, body: dict[str, Any], services: Services, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """I01: and everything else does not even ask it."""
        token = client.fields("/login")["csrf_token"]
        if isinstance(body.get("data"), dict):
            body = {"data": {**body["data"], "csrf_token": token}}
        monkeypatch.setattr(services.people.accounts, "authenticate", None)
        response = client.post("/login", **body)
        assert response.status_code == 400
        assert not client.is_signed_in

    def test_repeated_failures_are_slowed_down(self, app: Flask, alice: Visitor) -> None:
        """A07."""
        client = visitor(app)
        alice.get("/chatroom")
        services_of(app).database["sessions"].delete_many({})  # as if she had never been here
        for _ in range(10):
            assert client.log_in("alice", "guess").status_code == 401
        response = client.log_in("alice")
        assert response.status_code == 429
        assert 0 < int(response.headers["Retry-After"]) <= 900
        assert "15 minutes" in problem(response)
        assert 'value="alice"' in response.text

    def test_forged_addresses_change_nothing(self, make_app: MakeApp) -> None:
        """A08, O03."""
        app = make_app(login_limit_address="5 per hour", login_limit_account="0")
        statuses = [
            visitor(app).log_in(f"user{n}", "guess", headers={"X-Forwarded-For": f"203.0.113.{n}"}).status_code
            for n in range(10)
        ]
        assert statuses == [401] * 5 + [429] * 5

    def test_too_many_hashes_at_once(self, app: Flask, alice: Visitor, services: Services) -> None:
        """A09."""
        with all_taken(services.people.passwords._workers):
            response = visitor(app).log_in("alice")
        assert response.status_code == 503
        assert int(response.headers["Retry-After"]) > 0
        assert "Too many people" in problem(response)

    def test_a_new_session_at_every_log_in(self, app: Flask, alice: Visitor, services: Services) -> None:
        """S02: fixation: what the browser had before is worth nothing after."""
        client = visitor(app)
        client.get("/login")
        planted = client.get_cookie("session")
        assert planted
        client.log_in("alice")
        cookie = client.get_cookie("session")
        assert cookie
        assert cookie.value != planted.value
        victim = visitor(app)
        victim.set_cookie("session", planted.value)
        assert not victim.is_signed_in

    def test_switching_accounts_ends_the_first_session(self, app: Flask, alice: Visitor, services: Services) -> None:
        """S02: the form is still there for those signed in."""
        signed_in(app, "bob")
        cookie = alice.get_cookie("session")
        assert cookie
        assert alice.get("/login").status_code == 200
        assert alice.log_in("bob").status_code == 303
        assert services.people.sessions.list_for(user_of(services, "alice")) == []
        replay = visitor(app)
        replay.set_cookie("session", cookie.value)
        assert not replay.is_signed_in

    @pytest.mark.parametrize(
        ("wanted", "leads_to"),
        [
            ("/chatroom/lobby?before=3", "/chatroom/lobby?before=3"),
            ("/account", "/account"),
            ("//evil.example", "/chatroom"),
            ("https://evil.example/", "/chatroom"),
            ("/\\evil.example", "/chatroom"),
            ("/\t/evil.example", "/chatroom"),
            ("\\\\evil.example", "/chatroom"),
            ("javascript:alert(1)", "/chatroom"),
            ("evil.example", "/chatroom"),
            ("/" + "x" * 5000, "/chatroom"),
            ("", "/chatroom"),
        ],
    )
    def test_next_stays_within_the_site(self, app: Flask, alice: Visitor, wanted: str, leads_to: str) -> None:
        """C5: on the form, and again where the form is taken."""
        client = visitor(app)
        typed = {"username": "alice", "password": PASSWORD}
        response = client.post("/login", data={**client.fields("/login"), **typed, "next": wanted})
        assert response.location == leads_to
        client.log_out()
        page = client.get("/login", query_string={"next": wanted})
        assert ("evil" in page.text) is False

    def test_a_password_changed_at_this_very_moment(self, app: Flask, alice: Visitor, services: Services) -> None:
        original = services.people.accounts.authenticate

        def authenticate(*arguments: str) -> User:
            user = original(*arguments)
            services.people.accounts.set_password(user, NEW)
            return user

        services.people.accounts.authenticate = authenticate  # type: ignore[method-assign]
        client = visitor(app)
        assert client.log_in("alice").status_code == 401
        assert not client.is_signed_in


class TestLogout:
    def test_logging_out_ends_the_session_everywhere(self, app: Flask, alice: Visitor) -> None:
        """S03, A5: a copy of the cookie is worth nothing."""
        cookie = alice.get_cookie("session")
        assert cookie
        response = alice.submit("/login", to="/logout")
        assert (response.status_code, response.location) == (303, "/")
        replay = visitor(app)
        replay.set_cookie("session", cookie.value)
        response = replay.get("/chatroom")
        assert (response.status_code, response.location) == (303, "/login?next=/chatroom")

    def test_anonymous_logs_out_of_nothing(self, client: Visitor) -> None:
        assert client.log_out().status_code == 303

    @pytest.mark.parametrize("method", ["GET", "HEAD"])
    def test_a_link_does_not_log_out(self, alice: Visitor, method: str) -> None:
        """C03."""
        assert alice.open("/logout", method=method).status_code == 405
        assert alice.is_signed_in


class TestAccount:
    def test_the_page(self, alice: Visitor) -> None:
        page = alice.get("/account", headers={"User-Agent": "x"})
        assert page.status_code == 200
        for shown in ("Alice", "administrator", "127.0.0.1", "this browser"):
            assert shown in page.text

    @pytest.mark.parametrize(
        ("method", "path"),
        [
            ("GET", "/account"),
            ("POST", "/account/password"),
            ("POST", "/account/sessions/x/end"),
            ("POST", "/account/sessions/end-others"),
        ],
    )
    def test_anonymous_is_redirected_to_log_in(self, client: Visitor, method: str, path: str) -> None:
        """C5."""
        token = client.fields("/login")["csrf_token"]
        response = client.open(path, method=method, data={"csrf_token": token} if method == "POST" else None)
        assert response.status_code == 303
        assert response.location.startswith("/login?next=/account")

    def test_changing_the_password(self, app: Flask, alice: Visitor, services: Services) -> None:
        """S04: every other browser is logged out, and this one goes on with a new session."""
        other = visitor(app)
        other.log_in("alice")
        before = alice.get_cookie("session")
        response = change_password(alice, PASSWORD, NEW)
        assert (response.status_code, response.location) == (303, "/account")
        assert "The password was changed." in alice.get("/account").text
        assert not other.is_signed_in
        replay = visitor(app)
        assert before
        replay.set_cookie("session", before.value)
        assert not replay.is_signed_in
        assert visitor(app).log_in("alice", NEW).status_code == 303
        assert visitor(app).log_in("alice", PASSWORD).status_code == 401
        assert len(services.people.sessions.list_for(user_of(services, "alice"))) == 2

    @pytest.mark.parametrize(
        ("current", "new", "again"),
        [
            (PASSWORD, "short", "short"),
            (PASSWORD, NEW, "differs"),
            (PASSWORD, "alice1234", "alice1234"),
            ("guess", NEW, NEW),
        ],
    )
    def test_failed_password_changes(self, app: Flask, alice: Visitor, current: str, new: str, again: str) -> None:
        response = change_password(alice, current, new, again)
        assert response.status_code == 400
        assert len(problem(response)) > 50
        assert visitor(app).log_in("alice").status_code == 303

    def test_guesses_at_the_current_password_are_counted(self, alice: Visitor) -> None:
        for _ in range(10):
            assert change_password(alice, "guess", NEW).status_code == 400
        response = change_password(alice, PASSWORD, NEW)
        assert response.status_code == 429
        assert "Retry-After" in response.headers

    def test_ending_another_session(self, app: Flask, alice: Visitor, services: Services) -> None:
        """S03."""
        other = visitor(app)
        other.log_in("alice")
        both = {each.id for each in services.people.sessions.list_for(user_of(services, "alice"))}
        [theirs] = both - {current_session(alice)}
        response = alice.submit("/account", to=f"/account/sessions/{theirs}/end")
        assert (response.status_code, response.location) == (303, "/account")
        assert not other.is_signed_in
        assert alice.is_signed_in

    def test_ending_this_session_logs_out(self, alice: Visitor) -> None:
        response = alice.submit("/account", to=f"/account/sessions/{current_session(alice)}/end")
        assert response.location == "/"
        assert not alice.is_signed_in

    def test_nobody_ends_the_session_of_another_user(self, alice: Visitor, mallory: Visitor) -> None:
        theirs = current_session(alice)
        assert mallory.submit("/account", to=f"/account/sessions/{theirs}/end").status_code == 404
        assert mallory.submit("/account", to="/account/sessions/nonsense/end").status_code == 404
        assert alice.is_signed_in

    def test_ending_all_others(self, app: Flask, alice: Visitor, bob: Visitor) -> None:
        other = visitor(app)
        other.log_in("alice")
        assert alice.submit("/account", to="/account/sessions/end-others").status_code == 303
        assert alice.is_signed_in
        assert bob.is_signed_in
        assert not other.is_signed_in


def change_password(person: Visitor, current: str, new: str, again: str = "") -> Any:
    return person.submit(
        "/account", to="/account/password", current_password=current, password=new, password_again=again or new
    )


def current_session(person: Visitor) -> str:
    """The id of the session that the account page marks as this browser's."""
    page = person.get("/account").text
    [this] = [part for part in page.split('<li class="session">') if "this browser" in part]
    found = re.search(r"/account/sessions/([0-9a-f]{64})/end", this)
    assert found
    return found.group(1)
