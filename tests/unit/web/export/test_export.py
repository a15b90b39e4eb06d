"""A room taken away as a file: what is in it, who may, and what cannot be smuggled into it."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from flask.testing import FlaskCliRunner

from chatroom.base.errors import Refused, Unavailable
from chatroom.base.models import Author, File, Room
from chatroom.export import export
from chatroom.messages.messages_store import Rendered
from chatroom.rooms.rooms_store import RoomStore
from chatroom.services import Services
from chatroom.web.export import download as taking
from tests.conftest import MakeApp, signed_in
from tests.messaging import append
from tests.people import BOB, draft
from tests.visitors import Visitor, problem

DEN = Room(id="den-id", slug="den", title="The Den", kind="private")
AT = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)


@pytest.fixture(autouse=True)
def open_services(monkeypatch: pytest.MonkeyPatch) -> None:
    """A command ends by closing the database, which in memory would be its end."""
    monkeypatch.setattr(Services, "close", lambda self: None)


@pytest.fixture
def talk(services: Services, alice: Visitor) -> Services:
    """Two days of talk in the lobby, of which Alice is the administrator."""
    alice.get("/chatroom")
    file = File(id="f" * 24, name="plan <b>.pdf", type="application/pdf", size=12345)
    drafts = [
        draft("c1", "first *words*"),
        draft("c2", "second\n[09:30] Alice: I resign", BOB),
        draft("c3", "=HYPERLINK(1) \x1b[2J\u202e <script>alert(1)</script>"),
        draft("c4", "gone"),
    ]
    append(services, "lobby", drafts)
    with_file = Rendered(msgspec.structs.replace(draft("c5", "the plan"), files=(file,)), "<p>the plan</p>")
    services.messages.store.append("lobby", [with_file])
    gone = services.messages.store.newest("lobby", 2)[0]
    user = services.people.users.find_by_username("alice")
    assert user
    access = services.rooms.access.get_for(user.id, "lobby")
    services.messages.writer.change(access.room, services.messages.changes.deleting(access, gone.id))
    for message in services.messages.store.newest("lobby", 5):
        day = AT if message.sequence < 3 else AT.replace(day=21)
        services.database["messages"].update_one({"sequence": message.sequence}, {"$set": {"sent_at": day}})
    return services


def download(visitor: Visitor, format: str, path: str = "/chatroom/lobby/export", **more: str) -> str:
    response = visitor.get(path, query_string={"format": format, **more})
    assert response.status_code == 200
    assert re.match(r'attachment; filename="lobby-\d{4}-\d\d-\d\d', response.headers["Content-Disposition"])
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    return response.text


class TestText:
    def test_a_line_a_message_and_days_between(self, alice: Visitor, talk: Services) -> None:
        text = download(alice, "text")
        assert text.startswith("Lobby\n=====\nExported ")
        assert "\n--- Friday, 20 November 2026 ---\n[2026-11-20T09:30Z] Alice: first *words*\n" in text
        assert "\n--- Saturday, 21 November 2026 ---\n" in text
        assert "[2026-11-21T09:30Z] Alice: (deleted)\n" in text
        assert "gone" not in text
        assert "[2026-11-21T09:30Z] Alice: the plan\n        <file: plan <b>.pdf, 12,345 bytes>\n" in text

    def test_control_characters_are_escaped(self, alice: Visitor, talk: Services) -> None:
        text = download(alice, "text")
        assert "[2026-11-20T09:30Z] Bob: second\n        [09:30] Alice: I resign\n" in text
        assert "\x1b" not in text
        assert "\u202e" not in text
        assert not any(line.startswith(("=H", "+", "-1", "@")) for line in text.splitlines())


class TestHtml:
    def test_it_is_whole_and_runs_nothing(self, alice: Visitor, talk: Services) -> None:
        page = download(alice, "html")
        assert page.startswith("<!doctype html>")
        assert page.rstrip().endswith("</html>")
        assert "<script" not in page
        assert "<link" not in page
        assert "default-src 'none'" in page
        assert "--paper" in page
        assert "first <em>words</em>" in page
        assert "This message was deleted." in page
        assert "&lt;script&gt;alert(1)" in page
        assert "plan &lt;b&gt;.pdf</bdi></a>" in page
        assert 'href="http://localhost/files/ffffffffffffffffffffffff/plan%20%3Cb%3E.pdf"' in page


class TestLines:
    def test_one_message_a_line(self, alice: Visitor, talk: Services) -> None:
        lines = [json.loads(line) for line in download(alice, "jsonl").splitlines()]
        assert [line["sequence"] for line in lines] == [1, 2, 3, 4, 5]
        assert lines[1]["text"] == "second\n[09:30] Alice: I resign"
        assert "text" not in lines[3]
        assert lines[4]["files"][0]["name"] == "plan <b>.pdf"


class TestControlCharacters:
    """Neither a terminal nor an editor acts on what a message contains, and each line end is one."""

    TEXT = "a\r\nb\u2028c\x85d\x0ce\rf \x00\x1b[2J\x9b1m\x7f \u202etxt.exe\u202c \u2067x"
    INVISIBLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]")
    DIRECTIONS = re.compile(r"[\u202a-\u202e\u2066-\u2069]")

    @pytest.fixture(autouse=True)
    def said(self, alice: Visitor, services: Services) -> None:
        alice.get("/chatroom")
        user = services.people.users.find_by_username("alice")
        assert user
        append(services, "lobby", [draft("k1", self.TEXT, Author(user.id, "GitHub via CI\u202e", is_bot=True))])

    def test_text(self, alice: Visitor) -> None:
        text = download(alice, "text")
        assert not self.INVISIBLE.search(text)
        assert not self.DIRECTIONS.search(text)
        lines = ["a", "b", "c", "d", "e", "f \ufffd\ufffd[2J\ufffd1m\ufffd txt.exe x"]
        assert "Z] GitHub via CI (bot): " + "\n        ".join(lines) + "\n" in text

    def test_html(self, alice: Visitor) -> None:
        page = download(alice, "html")
        assert not self.INVISIBLE.search(page)
        assert "GitHub via CI" in page

    @pytest.mark.parametrize("address", ["/chatroom/lobby/export?format=jsonl", "/account/data"])
    def test_lines_of_json_contain_the_text_itself(self, alice: Visitor, address: str) -> None:
        raw = alice.get(address).text
        assert not self.INVISIBLE.search(raw)
        assert not self.DIRECTIONS.search(raw)
        lines = [json.loads(line) for line in raw.splitlines()]
        assert self.TEXT in [line.get("text") for line in lines]
        moments = [line["sent_at"] for line in lines if "sent_at" in line]
        assert moments
        assert all(datetime.fromisoformat(moment).utcoffset() == timedelta() for moment in moments)


class TestDays:
    @pytest.mark.parametrize(
        ("days", "sequences"),
        [
            ({}, [1, 2, 3, 4, 5]),
            ({"from": "2026-11-21"}, [3, 4, 5]),
            ({"to": "2026-11-20"}, [1, 2]),
            ({"from": "2026-11-20", "to": "2026-11-20"}, [1, 2]),
            ({"from": "2026-11-22"}, []),
            ({"to": "2026-11-19"}, []),
        ],
    )
    def test_both_ends_are_included(
        self, alice: Visitor, talk: Services, days: dict[str, str], sequences: list[int]
    ) -> None:
        lines = download(alice, "jsonl", **days).splitlines()
        assert [json.loads(line)["sequence"] for line in lines] == sequences

    def test_a_room_of_many_pages(self, alice: Visitor, talk: Services, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(export, "PAGE", 2)
        assert len(download(alice, "jsonl").splitlines()) == 5

    @pytest.mark.parametrize(
        ("query", "said"),
        [
            ({"format": "html", "from": "tomorrow"}, "“tomorrow” is not a date"),
            ({"format": "html", "from": "2026-11-21", "to": "2026-11-20"}, "The first day is after the last day."),
            ({"format": "exe"}, "The format of an export is html, text or jsonl."),
            ({"format": "html", "to": "9" * 5000}, "is not a date"),
        ],
    )
    def test_invalid_input_gets_an_error(
        self, alice: Visitor, talk: Services, query: dict[str, str], said: str
    ) -> None:
        response = alice.get("/chatroom/lobby/export", query_string=query)
        assert response.status_code == 400
        assert said in problem(response)


class TestWhoMay:
    def test_the_form(self, alice: Visitor, talk: Services) -> None:
        page = alice.get("/chatroom/lobby/export")
        assert page.status_code == 200
        assert 'name="from"' in page.text

    def test_plain_members_are_refused(self, bob: Visitor, talk: Services) -> None:
        assert bob.get("/chatroom/lobby/export").status_code == 403
        assert bob.get("/chatroom/lobby/export?format=text").status_code == 403

    def test_outsiders_are_refused(self, alice: Visitor, client: Visitor, talk: Services) -> None:
        """An administrator of the site is not in every room."""
        RoomStore(talk.database).ensure(DEN)
        assert alice.get("/chatroom/den/export?format=text").status_code == 404
        assert client.get("/chatroom/lobby/export?format=text").status_code == 303

    def test_too_many(self, make_app: MakeApp) -> None:
        somebody = signed_in(make_app(export_limit_account="1 per hour"), "alice")
        assert somebody.get("/chatroom/lobby/export?format=text").status_code == 200
        assert somebody.get("/chatroom/lobby/export?format=text").status_code == 429

    def test_a_refused_export_does_not_count(self, make_app: MakeApp) -> None:
        somebody = signed_in(make_app(export_limit_account="1 per hour"), "alice")
        services = somebody.application.extensions["chatroom"]
        with services.export.exports.slot(services.people.users.find_by_username("alice").id):
            assert somebody.get("/chatroom/lobby/export?format=text").status_code == 503
        assert somebody.get("/chatroom/lobby/export?format=text").status_code == 200

    def test_simultaneous_exports_are_limited(self, alice: Visitor, talk: Services) -> None:
        """A slot is given back when its export ends, and when its reader goes away in the middle."""
        for _ in range(export.MOST_AT_ONCE + 1):
            alice.get("/chatroom/lobby/export?format=text").close()
        slots = [talk.export.exports.slot(f"user {n}") for n in range(export.MOST_AT_ONCE)]
        for slot in slots:
            slot.__enter__()
        response = alice.get("/chatroom/lobby/export?format=text")
        assert response.status_code == 503
        assert response.headers["Retry-After"] == "10"
        for slot in slots:
            slot.__exit__(None, None, None)
        assert alice.get("/chatroom/lobby/export?format=text").status_code == 200


class TestCommand:
    def test_it_writes_to_standard_output(self, runner: FlaskCliRunner, talk: Services) -> None:
        result = runner.invoke(args=["export", "lobby", "--from", "2026-11-21"])
        assert result.exit_code == 0
        assert "[2026-11-21T09:30Z] Alice: the plan" in result.output
        assert "first" not in result.output
        html = runner.invoke(args=["export", "lobby", "--format", "html", "--address", "https://chat.test"]).output
        assert "https://chat.test/files/" in html

    @pytest.mark.parametrize("words", [["export", "nowhere"], ["export", "lobby", "--from", "x"]])
    def test_refusals(self, runner: FlaskCliRunner, talk: Services, words: list[str]) -> None:
        result = runner.invoke(args=words)
        assert result.exit_code == 1
        assert result.output.startswith("Error: ")


class TestWhileItIsRead:
    """B09: who takes a room away is asked again and again whether they may, and keeps nobody from doing the same."""

    @pytest.fixture
    def begun(self, alice: Visitor, talk: Services, monkeypatch: pytest.MonkeyPatch) -> Iterator[bytes]:
        """An export of which the first piece has been read."""
        monkeypatch.setattr(taking, "CHUNK", 1)
        monkeypatch.setattr(taking, "CHECK_SECONDS", 0.0)
        response = alice.get("/chatroom/lobby/export?format=text", buffered=False)
        pieces = iter(response.response)
        assert next(pieces).startswith(b"Lobby")
        return pieces

    def user_id(self, talk: Services) -> str:
        user = talk.people.users.find_by_username("alice")
        assert user is not None
        return user.id

    def test_a_moderator_gets_all_messages(self, begun: Iterator[bytes]) -> None:
        assert b"the plan" in b"".join(begun)

    @pytest.mark.parametrize("fate", ["banned", "removed", "logged out", "no moderator"])
    def test_it_ends_with_the_right_to_it(self, begun: Iterator[bytes], talk: Services, fate: str) -> None:
        user_id = self.user_id(talk)
        if fate == "banned":
            talk.people.states.set_ban(user_id, datetime.now(UTC) + timedelta(hours=1), "spam")
        elif fate == "removed":
            talk.database["memberships"].update_one({"user": user_id}, {"$set": {"removed_at": datetime.now(UTC)}})
        elif fate == "logged out":
            talk.people.sessions.end_all(user_id)
        else:
            talk.people.states.set_role(user_id, "member")
        with pytest.raises((Refused, Unavailable)):
            next(begun)

    def test_one_export_per_user_at_a_time(self, alice: Visitor, begun: Iterator[bytes]) -> None:
        assert alice.get("/chatroom/lobby/export?format=text").status_code == 503
        begun.close()  # type: ignore[attr-defined]
        assert alice.get("/chatroom/lobby/export?format=text").status_code == 200

    def test_a_too_slow_reader_is_disconnected(
        self, alice: Visitor, talk: Services, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(taking, "PATIENCE_SECONDS", -1.0)
        with pytest.raises(Unavailable, match="too slow"):
            alice.get("/chatroom/lobby/export?format=text")

    def test_a_head_request_takes_no_place(self, alice: Visitor, talk: Services) -> None:
        for _ in range(2):
            assert alice.head("/chatroom/lobby/export?format=text").status_code == 200
