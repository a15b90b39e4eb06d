"""The index and the rooms, with forms and links alone."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from flask import Flask

from chatroom.app import create_app
from chatroom.base.config import Settings
from chatroom.base.durations import FOREVER
from chatroom.base.errors import Unavailable
from chatroom.base.models import Person, Room
from chatroom.services import Services
from chatroom.web.kit.filters import hue
from tests.conftest import MakeApp, services_of, signed_in, visitor
from tests.ports import Port
from tests.visitors import Visitor, bodies, hidden_fields, problem, texts, user_of

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


class TestIndex:
    def test_a_form_leads_to_the_registration(self, client: Visitor) -> None:
        """A1, B1."""
        page = client.get("/")
        assert page.status_code == 200
        assert 'action="/register"' in page.text
        assert 'name="username"' in page.text

    def test_a_logged_in_user_is_redirected_to_the_chat(self, alice: Visitor) -> None:
        """A1."""
        response = alice.get("/")
        assert (response.status_code, response.location) == (303, "/chatroom")

    def test_it_leads_back_to_the_room_that_was_open_last(self, alice: Visitor, secret_room: Room) -> None:
        assert alice.get(f"/chatroom/{secret_room.slug}").status_code == 200
        assert alice.get("/").location == f"/chatroom/{secret_room.slug}"
        assert '<p class="back"><a href="/">Back to the chat</a></p>' in alice.get("/rooms").text

    @pytest.mark.parametrize("slug", ["", "nothing-there", "x" * 3000, "../x", "\u20ac", "%00"])
    def test_another_room_in_the_cookie_is_ignored(self, mallory: Visitor, secret_room: Room, slug: str) -> None:
        for each in (slug, secret_room.slug):
            mallory.set_cookie("room", each)
            assert mallory.get("/").location == "/chatroom"


class TestRoom:
    def test_a_greeting_has_one_full_stop(self, client: Visitor) -> None:
        assert client.register("linus", display_name="Linus T.").status_code == 303
        assert "Hello, Linus T. Come in" in client.get("/chatroom").text

    def test_the_bar_of_an_installed_app_has_the_colour_of_the_pages_bar(self, alice: Visitor) -> None:
        tokens = (Path(__file__).parents[4] / "static/css/tokens.css").read_text()
        light, dark = re.findall(r"--sheet: (#\w+);", tokens)
        page = alice.get("/chatroom").text
        assert (
            f'name="theme-color" content="{light.replace("#fff", "#ffffff")}" media="(prefers-color-scheme: light)"'
            in page
        )
        assert f'name="theme-color" content="{dark}" media="(prefers-color-scheme: dark)"' in page
        assert "viewport-fit=cover" in page
        assert alice.get("/manifest.webmanifest").get_json()["display"] == "standalone"

    def test_it_greets_by_name(self, alice: Visitor) -> None:
        """A2, B1, C1."""
        page = alice.get("/chatroom").text
        assert "Lobby – Hello Alice – " in page
        assert "Hello, <bdi>Alice</bdi>" in page
        button = re.search(r"<button[^>]*data-send>(.*?)</button>", page)
        assert button
        assert re.sub("<[^>]*>", "", button.group(1)).replace("&nbsp;", " ") == "Send message"

    def test_posting_and_reading(self, alice: Visitor, bob: Visitor) -> None:
        """A2, A3, C4: the answer is a redirect; time, author, text."""
        response = alice.say("hello *world*")
        assert (response.status_code, response.location) == (303, "/chatroom/lobby")
        page = bob.get("/chatroom").text
        assert bodies(page) == ["hello <em>world</em>"]
        assert re.search(r'data-author-name>Alice</bdi>[^`]*?class="message__time"[^>]*><time[^>]*datetime="20', page)

    def test_oldest_at_the_top(self, alice: Visitor) -> None:
        """A2."""
        for text in ("one", "two", "three"):
            alice.say(text)
        assert bodies(alice.get("/chatroom").text) == ["one", "two", "three"]

    def test_the_same_form_twice_posts_once(self, alice: Visitor, services: Services) -> None:
        """A3: a double click, a reload of the answer."""
        fields = {**alice.fields("/chatroom"), "text": "hello"}
        assert [alice.post("/chatroom", data=fields).status_code for _ in range(3)] == [303] * 3
        assert texts(services) == ["hello"]

    def test_an_old_form_with_another_text_is_another_message(self, alice: Visitor, services: Services) -> None:
        """A3: the Back button loses nothing, and doubles nothing either."""
        fields = alice.fields("/chatroom")
        for text in ("one", "two", "two", "one"):
            alice.post("/chatroom", data={**fields, "text": text})
        assert texts(services) == ["one", "two"]

    def test_every_page_has_a_client_id_of_its_own(self, alice: Visitor) -> None:
        ids = {alice.fields("/chatroom")["client_id"] for _ in range(5)}
        assert len(ids) == 5
        assert 'autocomplete="off"' in re.findall(r'<input[^>]*name="client_id"[^>]*>', alice.get("/chatroom").text)[0]

    def test_two_people_may_use_one_client_id(self, alice: Visitor, bob: Visitor, services: Services) -> None:
        """D05."""
        for person, text in ((alice, "hers"), (bob, "his")):
            person.say(text, client_id="the-same")
        assert texts(services) == ["hers", "his"]

    @pytest.mark.parametrize("client_id", ["", "a b", "$ne", ".x", "x" * 65, "é"])
    def test_a_client_id_that_is_none(self, alice: Visitor, services: Services, client_id: str) -> None:
        """I02: nothing of it reaches the database."""
        assert alice.say("hello", client_id=client_id).status_code == 303
        [document] = services.database["messages"].find()
        assert document["client_id"] != client_id

    @pytest.mark.parametrize(
        "end", [datetime(2100, 1, 1, 12, 30, tzinfo=UTC), FOREVER, LONG_AGO], ids=["for a time", "for good", "over"]
    )
    def test_a_muted_member_reads_why_in_place_of_the_composer(
        self, alice: Visitor, services: Services, end: datetime
    ) -> None:
        services.people.states.set_mute(user_of(services, "alice").id, end, "too <loud>")
        page = alice.get("/chatroom").text
        is_muted = end != LONG_AGO
        assert bool(re.search(r"<form class=\"composer\"[^>]* hidden>", page)) == is_muted
        assert ("You are muted here until" in page) == ("too &lt;loud&gt;</p>" in page) == is_muted
        assert ("data-muted-until" in page) == (end.year == 2100)

    def test_line_ends_and_all_kinds_of_text(self, alice: Visitor, services: Services) -> None:
        """U07."""
        alice.say("one\r\ntwo\n\u2028 😀 👩\u200d👩 \u202eabc")
        assert texts(services) == ["one\ntwo\n\u2028 😀 👩\u200d👩 \u202eabc"]

    @pytest.mark.parametrize(
        ("text", "says"),
        [
            ("", "The message is empty"),
            (" \n\t ", "The message is empty"),
            ("\u200b", "The message is empty"),
            ("```\n```", "The message is empty. Its marks, such as ```, contain no text."),
            ("x" * 4001, "4,001 characters, and at most 4,000"),
        ],
        ids=["nothing", "spaces", "invisible", "marks", "too long"],
    )
    def test_a_refused_text_is_shown_again(self, alice: Visitor, services: Services, text: str, says: str) -> None:
        """L01."""
        response = alice.say(text)
        assert response.status_code == 400
        assert says in problem(response)
        assert text.strip() in response.text
        assert texts(services) == []

    def test_the_longest_message(self, alice: Visitor) -> None:
        """L01."""
        assert alice.say("x" * 4000).status_code == 303

    def test_a_refused_form_keeps_its_client_id(self, alice: Visitor) -> None:
        fields = alice.fields("/chatroom")
        response = alice.post("/chatroom", data={**fields, "text": ""})
        assert hidden_fields(response)["client_id"] == fields["client_id"]

    def test_too_fast(self, make_app: MakeApp) -> None:
        """L08."""
        app = make_app(post_limit_account="2 per minute")
        alice, bob = signed_in(app, "alice"), signed_in(app, "bob")
        assert [alice.say("hello").status_code for _ in range(3)] == [303, 303, 429]
        response = alice.say("this is kept")
        assert 0 < int(response.headers["Retry-After"]) <= 60
        assert "too fast" in problem(response)
        assert "this is kept" in response.text
        assert bob.say("hello").status_code == 303

    def test_a_database_outage_while_posting(
        self, alice: Visitor, services: Services, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """F05: the outcome is unknown, and the form comes back with the same client id to try again."""

        def post(*_: object) -> None:
            raise Unavailable("The database does not answer right now.")

        fields = alice.fields("/chatroom")
        monkeypatch.setattr(services.messages.writer, "post", post)
        response = alice.post("/chatroom", data={**fields, "text": "this is kept"})
        assert response.status_code == 503
        assert int(response.headers["Retry-After"]) > 0
        assert "does not answer" in problem(response)
        assert "this is kept" in response.text
        assert hidden_fields(response)["client_id"] == fields["client_id"]

    def test_user_text_is_text(self, alice: Visitor, services: Services) -> None:
        """X01."""
        alice.say('<script>alert(1)</script> "><img onerror=alert(1)> {{7*7}} %s')
        page = alice.get("/chatroom").text
        assert "<script>alert" not in page
        assert "<img onerror" not in page
        assert "{{7*7}}" in page

    def test_present_people(self, alice: Visitor, services: Services) -> None:
        services.live.presences.take([("lobby", Person("x" * 24, "Zoë"))])
        assert "Zoë</bdi>" in alice.get("/chatroom").text

    def test_the_cursor_is_the_rooms_revision(self, alice: Visitor) -> None:
        for _ in range(3):
            alice.say("hello")
        assert 'data-cursor="3"' in alice.get("/chatroom").text


class TestHistory:
    @pytest.fixture
    def reader(self, make_app: MakeApp) -> Visitor:
        """Somebody in a room of seven messages, three to a page."""
        app = make_app(history_page=3)
        reader = signed_in(app, "alice")
        for number in range(1, 8):
            reader.say(str(number))
        return reader

    def test_paging_back(self, reader: Visitor) -> None:
        """The newest page, and the links to older ones."""
        page = reader.get("/chatroom").text
        seen = [bodies(page)]
        while older := re.search(r'<a data-older-link href="([^"]+)"', page):
            page = reader.get(older.group(1)).text
            assert "You are reading older messages" in page
            seen.append(bodies(page))
        assert seen == [["5", "6", "7"], ["2", "3", "4"], ["1"]]

    @pytest.mark.parametrize(
        ("before", "shown"),
        [
            ("4", ["1", "2", "3"]),
            ("1", []),
            ("0", []),
            ("-7", []),
            ("9" * 30, ["5", "6", "7"]),
            ("9" * 5000, ["5", "6", "7"]),
            ("nonsense", ["5", "6", "7"]),
            ("", ["5", "6", "7"]),
        ],
    )
    def test_odd_places(self, reader: Visitor, before: str, shown: list[str]) -> None:
        """L10, I08."""
        response = reader.get("/chatroom/lobby", query_string={"before": before})
        assert response.status_code == 200
        assert bodies(response.text) == shown

    def test_posting_from_an_older_page(self, reader: Visitor) -> None:
        response = reader.submit("/chatroom/lobby?before=4", to="/chatroom/lobby", text="8")
        assert response.location == "/chatroom/lobby"
        assert bodies(reader.get(response.location).text) == ["6", "7", "8"]


class TestFrame:
    def test_the_newest_messages_alone(self, alice: Visitor) -> None:
        """A4: without scripts, at the latest after 5 seconds."""
        alice.say("hello")
        page = alice.get("/chatroom/lobby/messages").text
        assert bodies(page) == ["hello"]
        refresh = re.search(r'http-equiv="refresh" content="(\d+)"', page)
        assert refresh
        assert int(refresh.group(1)) <= 5

    def test_its_reader_is_here(self, alice: Visitor, bob: Visitor) -> None:
        bob.get("/chatroom/lobby/messages")
        assert 'person__name">Bob</bdi>' in alice.get("/chatroom").text

    def test_logged_out_it_links_to_log_in(self, client: Visitor) -> None:
        """C5: in the whole window, because no frame may show the login page."""
        response = client.get("/chatroom/lobby/messages")
        assert response.status_code == 401
        assert 'target="_top"' in response.text
        assert 'href="/login?next=/chatroom/lobby"' in response.text


class TestAccess:
    @pytest.mark.parametrize("path", ["/chatroom", "/chatroom/lobby", "/chatroom/lobby?before=3", "/account"])
    def test_anonymous_is_redirected_to_log_in_and_back(
        self, app: Flask, client: Visitor, alice: Visitor, path: str
    ) -> None:
        """C5."""
        response = client.get(path)
        assert response.status_code == 303
        assert response.location.startswith("/login?next=")
        form = hidden_fields(client.get(response.location))
        response = client.post("/login", data={**form, "username": "alice", "password": "correct horse battery"})
        assert (response.status_code, response.location) == (303, path)

    def test_anonymous_posts_nothing(self, client: Visitor, services: Services) -> None:
        token = client.fields("/login")["csrf_token"]
        response = client.post("/chatroom/lobby", data={"csrf_token": token, "text": "hello"})
        assert response.location == "/login?next=/chatroom/lobby"
        assert texts(services) == []

    @pytest.mark.parametrize(
        "path", ["/chatroom/secret", "/chatroom/secret/messages", "/chatroom/none", "/chatroom/$ne"]
    )
    def test_outsiders_learn_nothing(self, mallory: Visitor, secret_room: Room, path: str, services: Services) -> None:
        """W09: the same answer for a room that is not theirs and for none."""
        response = mallory.get(path)
        assert response.status_code == 404
        assert "There is no such room, or you are not a member of it." in response.text
        assert "Secret" not in response.text
        if path == "/chatroom/secret":
            assert mallory.submit("/chatroom", to=path, text="hello").status_code == 404
        assert texts(services) == []

    def test_members_have_access(self, alice: Visitor, secret_room: Room) -> None:
        assert alice.get("/chatroom/secret").status_code == 200
        assert alice.say("psst", "/chatroom/secret").location == "/chatroom/secret"

    def test_a_session_that_ended(self, alice: Visitor, services: Services) -> None:
        """S05."""
        past = datetime(2020, 1, 1, tzinfo=UTC)
        services.database["sessions"].update_many({}, {"$set": {"expires_at": past}})
        assert alice.get("/chatroom").status_code == 303


def test_hues_are_the_scripts() -> None:
    """As in tests/js/text.test.js."""
    assert [hue(user_id) for user_id in ("u1", "u2", "u3", "u4", "u5", "ä")] == [2, 0, 2, 5, 11, 11]
    assert {hue(str(number)) for number in range(200)} == set(range(12))


def test_nothing_connects_before_the_first_request() -> None:
    """O05, F05: making the application needs no database, and without one people are told so."""
    port = Port()  # where nobody listens
    uri = f"mongodb://127.0.0.1:{port.number}/"
    app = create_app(Settings(mongo_uri=uri, secret_key="k" * 32, store_timeout_seconds=0.3))
    try:
        client = visitor(app)
        assert client.get("/livez").status_code == 200
        assert client.get("/readyz").status_code == 503
        response = client.get("/chatroom")
        assert response.status_code == 503
        assert int(response.headers["Retry-After"]) > 0
        assert "Not available right now" in response.text
        assert "127.0.0.1" not in response.text
        error = client.get("/api/rooms/lobby/messages").get_json()["error"]
        assert error["reason"] == "unavailable"
        assert error["retry_after"] > 0
    finally:
        services_of(app).close()
        port.release()


class TestReading:
    """What marks a room as read: the page itself only if no script reports what is seen."""

    def unread(self, visitor: Visitor) -> int:
        return int(visitor.get("/api/rooms").get_json()["rooms"][0]["unread"])

    def test_a_browser_reports_what_is_seen_also_at_its_first_page(self, alice: Visitor, bob: Visitor) -> None:
        alice.get("/chatroom")
        bob.say("hello")
        alice.get("/chatroom", headers={"Sec-Fetch-Dest": "document"})
        assert self.unread(alice) == 1

    def test_a_page_with_scripts_marks_nothing(self, alice: Visitor, bob: Visitor) -> None:
        alice.get("/chatroom")
        alice.set_cookie("time_zone", "UTC")
        bob.say("hello")
        page = alice.get("/chatroom").text
        assert self.unread(alice) == 1
        assert 'data-unread="1"' in page, "the script counts it"
        assert "1 unread" not in page, "the badge of the open room is left to the script"

    def test_a_page_without_scripts_marks_what_it_shows(self, alice: Visitor, bob: Visitor) -> None:
        alice.get("/chatroom")
        bob.say("hello")
        assert self.unread(alice) == 1
        alice.get("/chatroom", headers={"Sec-Purpose": "prefetch"})
        assert self.unread(alice) == 1
        alice.get("/chatroom")
        assert self.unread(alice) == 0

    def test_the_frame_without_scripts_marks_it_also_after_scripts_were_turned_off(
        self, alice: Visitor, bob: Visitor
    ) -> None:
        alice.get("/chatroom")
        alice.set_cookie("time_zone", "UTC")
        bob.say("hello")
        alice.get("/chatroom/lobby/messages")
        assert self.unread(alice) == 0
