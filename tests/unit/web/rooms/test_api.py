"""Rooms over the JSON API: listed, read, made, changed, joined and left, by programs and by pages."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from chatroom.base.models import Author, Room, Scope
from chatroom.messages.messages_store import MessageStore
from chatroom.rooms.fields import SETTINGS, TYPES
from chatroom.services import Services
from tests.conftest import MakeApp, services_of, signed_in
from tests.people import rendered
from tests.visitors import Visitor

EVERY: tuple[Scope, ...] = ("read", "post", "rooms", "moderate")


class Program:
    """A program that acts as somebody."""

    def __init__(self, app: Flask, name: str, scopes: tuple[Scope, ...] = EVERY, rooms: tuple[str, ...] = ()) -> None:
        services = services_of(app)
        user = services.people.users.find_by_username(name)
        assert user
        token = services.people.sessions.create_token(user, label="bot", scopes=scopes, rooms=rooms)
        self._client = app.test_client()
        self._headers = {"Authorization": f"Bearer {token}"}

    def ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> TestResponse:
        return self._client.open(f"/api{path}", method=method, json=body, headers=self._headers)

    def make(self, **body: Any) -> str:
        made = self.ask("POST", "/rooms", {"title": "Builds", **body})
        assert made.status_code == 201, made.text
        return str(made.get_json()["slug"])


def reason(response: TestResponse) -> tuple[int, str]:
    return response.status_code, response.get_json()["error"]["reason"]


@pytest.fixture
def program(app: Flask, alice: Visitor, bob: Visitor) -> Program:
    """Bob's: Alice runs the site."""
    return Program(app, "bob")


class TestListing:
    def test_ones_rooms_are_listed(self, alice: Visitor, bob: Visitor) -> None:
        assert alice.is_signed_in
        assert bob.is_signed_in
        bob.say("hello")
        (lobby,) = alice.get("/api/rooms").get_json()["rooms"]
        assert lobby == {
            "slug": "lobby",
            "title": "Lobby",
            "kind": "public",
            "topic": "",
            "role": "member",
            "notify": "mentions",
            "is_starred": False,
            "is_hidden": False,
            "chosen": "mentions",
            "paused_until": None,
            "is_read_only": False,
            "archived": False,
            "unread": 1,
            "mentions": 0,
            "read_sequence": 0,
            "unread_from": 0,
            "unread_marks": 0,
            "revision": 1,
            "people": [],
        }
        assert bob.get("/api/rooms").get_json()["rooms"][0]["unread"] == 0

    def test_a_user_without_rooms_has_an_empty_list(self, mallory: Visitor, services: Services) -> None:
        assert mallory.get("/api/rooms").get_json() == {"rooms": []}

    def test_a_list_is_arranged(self, alice: Visitor) -> None:
        def arrange(**body: object) -> TestResponse:
            return alice.post("/api/rooms/lobby/arrange", json=body, headers=alice.csrf())

        alice.get("/chatroom")
        assert arrange(is_starred=True, notify="none").get_json()["room"] == "lobby"
        assert arrange(is_hidden=True).status_code == 200
        (lobby,) = alice.get("/api/rooms").get_json()["rooms"]
        assert (lobby["is_starred"], lobby["is_hidden"], lobby["notify"]) == (True, True, "none")
        assert arrange(is_starred=False, is_hidden=False).status_code == 200
        (lobby,) = alice.get("/api/rooms").get_json()["rooms"]
        assert (lobby["is_starred"], lobby["is_hidden"], lobby["notify"]) == (False, False, "none")

    @pytest.mark.parametrize("body", [{"notify": "some"}, {"is_starred": None}, {"starred": True}, {"is_hidden": "no"}])
    def test_a_strange_arrangement_is_refused(self, alice: Visitor, body: dict[str, object]) -> None:
        alice.get("/chatroom")
        answer = alice.post("/api/rooms/lobby/arrange", json=body, headers=alice.csrf())
        assert reason(answer) == (400, "invalid")

    def test_anonymous_has_no_list(self, client: Visitor) -> None:
        assert client.get("/api/rooms").status_code == 401


class TestRead:
    def test_a_position_is_kept_and_clears_the_count(self, alice: Visitor, bob: Visitor) -> None:
        assert alice.is_signed_in
        bob.say("hello")
        token = {"X-CSRFToken": alice.fields("/account")["csrf_token"]}
        response = alice.post("/api/rooms/lobby/read", json={"sequence": 99}, headers=token)
        assert (response.status_code, response.get_json()) == (200, {"room": "lobby", "sequence": 1})
        (lobby,) = alice.get("/api/rooms").get_json()["rooms"]
        assert (lobby["unread"], lobby["read_sequence"]) == (0, 1)
        response = alice.post("/api/rooms/lobby/read", json={"sequence": 0}, headers=token)
        assert response.get_json()["sequence"] == 1

    @pytest.mark.parametrize("body", [{}, {"sequence": -1}, {"sequence": "1"}, {"sequence": 1, "room": "x"}, []])
    def test_an_invalid_position_is_refused(self, alice: Visitor, body: object) -> None:
        token = {"X-CSRFToken": alice.fields("/account")["csrf_token"]}
        response = alice.post("/api/rooms/lobby/read", json=body, headers=token)
        assert (response.status_code, response.get_json()["error"]["reason"]) == (400, "invalid")

    def test_the_role_is_that_in_the_room_whatever_the_site_or_the_token_say(
        self, app: Flask, alice: Visitor, program: Program
    ) -> None:
        slug = program.make()
        assert Program(app, "alice").ask("POST", f"/rooms/{slug}/join").get_json()["role"] == "member"
        for name, role in (("alice", "member"), ("bob", "administrator")):
            rooms = Program(app, name, ("read",)).ask("GET", "/rooms").get_json()["rooms"]
            assert {room["slug"]: room["role"] for room in rooms}[slug] == role

    @pytest.mark.parametrize("slug", ["$ne", "LOBBY", "x" * 1000, "lobby%20", "%00", "-", "..%2flobby"])
    def test_a_malformed_slug_is_an_unknown_room(self, program: Program, slug: str) -> None:
        for method, path in (("GET", "/messages"), ("POST", "/messages"), ("PATCH", ""), ("POST", "/leave")):
            assert (
                program.ask(method, f"/rooms/{slug}{path}", {"text": "x"} if path == "/messages" else {}).status_code
                == 404
            )


class TestEntering:
    @pytest.mark.parametrize("scopes", [("read",), ("read", "post"), ("read", "post", "moderate")])
    def test_a_token_without_the_scope_does_not_join(
        self, app: Flask, program: Program, services: Services, scopes: tuple[Scope, ...]
    ) -> None:
        """P12: neither by reading nor by posting, and it is not told which rooms there are."""
        author = Author("x", "X")
        public, private = (
            services.rooms.making.create(author, "member", title="Den", is_private=is_private)
            for is_private in (False, True)
        )
        narrow = Program(app, "bob", scopes)
        said = set()
        for slug in (public.slug, private.slug, "nowhere"):
            for answer in (
                narrow.ask("GET", f"/rooms/{slug}/messages"),
                narrow.ask("GET", f"/rooms/{slug}/members"),
                narrow.ask("POST", f"/rooms/{slug}/read", {"sequence": 0}),
                narrow.ask("POST", f"/rooms/{slug}/messages", {"client_id": "c", "text": "hi"}),
            ):
                if answer.status_code != 403:  # without the scope `post`
                    said.add((answer.status_code, answer.get_json()["error"]["message"]))
        assert len(said) == 1
        assert said.pop()[0] == 404
        assert services.database["memberships"].count_documents({"room": public.id}) == 1

    def test_it_reads_the_rooms_of_its_account_and_the_lobby(self, app: Flask, program: Program) -> None:
        slug = program.make()
        narrow = Program(app, "bob", ("read",))
        for room in (slug, "lobby"):
            assert narrow.ask("GET", f"/rooms/{room}/messages").status_code == 200


class TestMaking:
    def test_a_room_is_made(self, program: Program, alice: Visitor) -> None:
        made = program.ask("POST", "/rooms", {"title": " Builds  &c ", "topic": "Messages from machines"})
        assert (made.status_code, made.get_json()) == (
            201,
            {
                "slug": "builds-c",
                "title": "Builds &c",
                "kind": "public",
                "topic": "Messages from machines",
                "role": "administrator",
                "archived": False,
                **{name: TYPES[name]() for name in SETTINGS},
            },
        )
        assert "Builds &amp;c" in alice.get("/rooms").text

    def test_a_private_room_is_invisible_to_others(self, program: Program, alice: Visitor) -> None:
        slug = program.make(kind="private")
        assert "Builds" not in alice.get("/rooms").text
        assert alice.get(f"/chatroom/{slug}").status_code == 404

    @pytest.mark.parametrize(
        "body",
        [
            {},
            {"title": ""},
            {"title": "\u200b"},
            {"title": "x" * 61},
            {"title": "x", "topic": "x" * 251},
            {"title": "x", "kind": "direct"},
            {"title": "x", "color": "red"},
            {"title": 7},
        ],
        ids=str,
    )
    def test_invalid_input(self, program: Program, body: dict[str, Any]) -> None:
        assert program.ask("POST", "/rooms", body).status_code == 400

    def test_the_number_of_rooms_is_limited(self, make_app: MakeApp) -> None:
        app = make_app(max_rooms_per_user=1)
        signed_in(app, "alice")
        program = Program(app, "alice")
        program.make()
        assert reason(program.ask("POST", "/rooms", {"title": "More"})) == (400, "too_many_rooms")

    def test_only_administrators_create_rooms(self, make_app: MakeApp) -> None:
        """Whose program needs their rights for it."""
        app = make_app(room_creation="administrators")
        signed_in(app, "alice")
        lesser = Program(app, "alice", ("rooms",))
        assert reason(lesser.ask("POST", "/rooms", {"title": "More"})) == (403, "forbidden")
        Program(app, "alice").make()

    def test_too_fast(self, make_app: MakeApp) -> None:
        app = make_app(post_limit_account="1 per minute")
        signed_in(app, "alice")
        program = Program(app, "alice")
        program.make()
        assert reason(program.ask("POST", "/rooms", {"title": "More"})) == (429, "too_fast")


class TestScopes:
    def test_each_needs_its_own(self, app: Flask, program: Program) -> None:
        slug = program.make()
        lesser = Program(app, "bob", ("read", "post", "moderate"))
        for path in ("/rooms", f"/rooms/{slug}/join", f"/rooms/{slug}/leave"):
            assert reason(lesser.ask("POST", path, {"title": "x"})) == (403, "out_of_scope")
        assert reason(Program(app, "bob", ("read", "rooms")).ask("PATCH", f"/rooms/{slug}", {})) == (
            403,
            "out_of_scope",
        )

    def test_a_token_for_one_room_makes_none(self, app: Flask, program: Program) -> None:
        slug = program.make()
        bound = Program(app, "bob", EVERY, (slug,))
        assert reason(bound.ask("POST", "/rooms", {"title": "x"})) == (403, "out_of_scope")
        assert reason(bound.ask("POST", "/rooms/lobby/join")) == (403, "out_of_scope")
        assert bound.ask("PATCH", f"/rooms/{slug}", {"topic": "Tea"}).status_code == 200


class TestChanging:
    def test_absent_fields_stay_unchanged(self, program: Program, services: Services) -> None:
        slug = program.make(topic="Tea")
        changed = program.ask("PATCH", f"/rooms/{slug}", {"slow_seconds": 5, "is_read_only": True, "reason": "news"})
        body = changed.get_json()
        assert (changed.status_code, body["topic"], body["slow_seconds"]) == (200, "Tea", 5)
        assert body["is_read_only"]
        (entry,) = services.site.audit.page(act="change_room").entries
        assert (entry.reason, entry.details) == ("news", {"slow_seconds": 5, "is_read_only": True})

    def test_archived_and_opened_again(self, program: Program) -> None:
        slug = program.make()
        assert program.ask("PATCH", f"/rooms/{slug}", {"archived": True}).get_json()["archived"]
        post = program.ask("POST", f"/rooms/{slug}/messages", {"text": "hello"})
        assert reason(post) == (403, "archived")
        assert not program.ask("PATCH", f"/rooms/{slug}", {"archived": False}).get_json()["archived"]
        assert reason(program.ask("PATCH", "/rooms/lobby", {"archived": True})) == (403, "forbidden")

    def test_only_administrators(self, app: Flask, program: Program, mallory: Visitor) -> None:
        slug, hidden = program.make(), program.make(kind="private")
        other = Program(app, "mallory")
        assert reason(other.ask("PATCH", f"/rooms/{slug}", {"topic": "x"})) == (403, "forbidden")
        assert reason(other.ask("PATCH", f"/rooms/{hidden}", {"topic": "x"})) == (404, "not_found")
        assert reason(Program(app, "alice").ask("PATCH", f"/rooms/{hidden}", {"topic": "x"})) == (404, "not_found")

    def test_a_retention_that_deletes_needs_a_confirmation(self, program: Program, services: Services) -> None:
        slug = program.make()
        room = services.rooms.store.find_by_slug(slug)
        assert isinstance(room, Room)
        long_ago = datetime.now(UTC) - timedelta(days=90)
        store = MessageStore(services.database, origin="x", clock=lambda: long_ago)
        store.append(room.id, [rendered("c1", author=Author("b", "Bob"))])
        refused = program.ask("PATCH", f"/rooms/{slug}", {"retention_days": 30})
        assert reason(refused) == (409, "conflict")
        assert "deletes 1 message" in refused.get_json()["error"]["message"]
        assert program.ask("PATCH", f"/rooms/{slug}", {"topic": "Tea"}).get_json()["retention_days"] == 0
        body = {"retention_days": 30, "confirmed": True}
        assert program.ask("PATCH", f"/rooms/{slug}", body).get_json()["retention_days"] == 30


class TestComingAndGoing:
    def test_come_and_go(self, app: Flask, program: Program, services: Services, mallory: Visitor) -> None:
        slug = program.make()
        other = Program(app, "mallory", ("rooms", "read"))
        for _ in range(2):
            joined = other.ask("POST", f"/rooms/{slug}/join")
            assert (joined.status_code, joined.get_json()["role"]) == (200, "member")
        page = other.ask("GET", f"/rooms/{slug}/messages").get_json()
        assert [each["text"] for each in page["messages"]] == ["Mallory joined"]
        left = other.ask("POST", f"/rooms/{slug}/leave")
        assert (left.status_code, left.get_json()) == (200, {"room": slug})
        assert reason(other.ask("POST", f"/rooms/{slug}/leave")) == (404, "not_found")

    def test_it_does_not_join_a_private_room(self, app: Flask, program: Program, mallory: Visitor) -> None:
        slug = program.make(kind="private")
        assert reason(Program(app, "mallory").ask("POST", f"/rooms/{slug}/join")) == (404, "not_found")
        assert program.ask("POST", f"/rooms/{slug}/join").status_code == 200

    def test_the_last_administrator_cannot_leave(
        self, app: Flask, program: Program, services: Services, mallory: Visitor
    ) -> None:
        """Also where the program has no rights of theirs."""
        slug = program.make(kind="private")
        room = services.rooms.store.find_by_slug(slug)
        user = services.people.users.find_by_username("mallory")
        assert room
        assert user
        services.database["memberships"].insert_one({"user": user.id, "room": room.id, "joined_at": datetime.now(UTC)})
        lesser = Program(app, "bob", ("rooms",))
        assert reason(lesser.ask("POST", f"/rooms/{slug}/leave")) == (403, "forbidden")
        assert lesser.ask("POST", "/rooms/lobby/join").status_code == 200
        assert reason(lesser.ask("POST", "/rooms/lobby/leave")) == (403, "forbidden")
        assert Program(app, "mallory").ask("POST", f"/rooms/{slug}/leave").status_code == 200
