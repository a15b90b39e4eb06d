"""A message's own page."""

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from bson import ObjectId

from chatroom.services import Services
from tests.conftest import MakeApp, signed_in
from tests.visitors import Visitor, bodies, hidden_fields, problem


def marked(page: str) -> list[str]:
    return re.findall(r'message--target"[^>]*data-sequence="(\d+)"', page)


class TestMessage:
    @pytest.fixture
    def reader(self, make_app: MakeApp) -> Visitor:
        reader = signed_in(make_app(history_page=4, post_limit_account="0"), "alice")
        for number in range(1, 12):
            reader.say(str(number))
        return reader

    def test_it_is_shown_among_its_neighbours(self, reader: Visitor) -> None:
        page = reader.get("/chatroom/lobby/6").text
        assert bodies(page) == ["4", "5", "6", "7", "8"]
        assert marked(page) == ["6"]
        assert 'href="/chatroom/lobby?before=4"' in page
        assert 'href="/chatroom/lobby/8">Newer messages' in page

    @pytest.mark.parametrize(
        ("sequence", "shown", "older", "newer"),
        [(1, ["1", "2", "3"], False, True), (11, ["9", "10", "11"], True, False)],
    )
    def test_at_the_ends(self, reader: Visitor, sequence: int, shown: list[str], older: bool, newer: bool) -> None:
        page = reader.get(f"/chatroom/lobby/{sequence}").text
        assert bodies(page) == shown
        assert (">Older messages" in page, ">Newer messages" in page) == (older, newer)

    def test_every_message_links_to_its_page(self, reader: Visitor) -> None:
        for path in ("/chatroom", "/chatroom/lobby", "/chatroom/lobby/messages"):
            page = reader.get(path).text
            assert re.findall(r'data-more[^>]*href="([^"]*)"', page) == [f"/chatroom/lobby/{n}" for n in range(8, 12)]

    def test_a_sequence_without_a_message_shows_the_next_one(self, alice: Visitor, services: Services) -> None:
        alice.say("one")
        user = services.people.users.find_by_username("alice")
        assert user
        access = services.rooms.access.get_for(user.id, "lobby")
        first = services.messages.store.newest("lobby", 1)[0]
        services.messages.writer.change(access.room, services.messages.changes.editing(access, first.id, "one!"))
        alice.say("two")
        response = alice.get("/chatroom/lobby/2")
        assert (response.status_code, response.location) == (303, "/chatroom/lobby/3")

    @pytest.mark.parametrize("sequence", ["12", "99999999999999999999999", "0x1", "-1", "1.5"])
    def test_beyond_the_room_there_is_nothing(self, reader: Visitor, sequence: str) -> None:
        assert reader.get(f"/chatroom/lobby/{sequence}").status_code == 404

    def test_a_deleted_message_keeps_its_page(self, alice: Visitor, services: Services) -> None:
        alice.say("one")
        user = services.people.users.find_by_username("alice")
        assert user
        access = services.rooms.access.get_for(user.id, "lobby")
        first = services.messages.store.newest("lobby", 1)[0]
        services.messages.writer.change(access.room, services.messages.changes.deleting(access, first.id))
        assert "This message was deleted." in alice.get("/chatroom/lobby/1").text

    @pytest.mark.usefixtures("secret_room")
    def test_outsiders(self, mallory: Visitor, client: Visitor) -> None:
        assert mallory.get("/chatroom/secret/1").status_code == 404
        assert client.get("/chatroom/lobby/1").location.startswith("/login")


class TestDays:
    @pytest.fixture
    def reader(self, alice: Visitor, services: Services) -> Visitor:
        for day in (1, 3, 5):
            alice.say(f"day {day}")
            newest = services.messages.store.newest("lobby", 1)[0]
            moment = datetime(2026, 5, day, 12, tzinfo=UTC)
            services.database["messages"].update_one({"_id": ObjectId(newest.id)}, {"$set": {"sent_at": moment}})
        return alice

    @pytest.mark.parametrize(
        ("query", "leads_to"),
        [
            ("date=2026-05-01", "/chatroom/lobby/1"),
            ("date=1999-12-31", "/chatroom/lobby/1"),
            ("date=2026-05-02", "/chatroom/lobby/2"),
            ("date=2026-05-05", "/chatroom/lobby/3"),
            ("date=2026-05-06", "/chatroom/lobby"),
        ],
    )
    def test_a_day_redirects_to_its_first_message(self, reader: Visitor, query: str, leads_to: str) -> None:
        for path in ("/chatroom/lobby", "/chatroom"):
            response = reader.get(f"{path}?{query}")
            assert (response.status_code, response.location) == (303, leads_to)

    @pytest.mark.parametrize("query", ["date=", "date=x", "date=2026-13-01", "date=0001-01-01"])
    def test_invalid_days(self, reader: Visitor, query: str) -> None:
        reader.set_cookie("time_zone", "Asia/Tokyo")
        response = reader.get(f"/chatroom/lobby?{query}")
        assert response.status_code == 400
        assert "2026-11-21" in response.text

    def test_of_an_empty_room(self, alice: Visitor) -> None:
        assert alice.get("/chatroom/lobby?date=2026-05-01").location == "/chatroom/lobby"


class TestForms:
    """What scripts do in place, on the message's own page."""

    @pytest.fixture
    def page(self, alice: Visitor) -> str:
        alice.say("one")
        return "/chatroom/lobby/1"

    def fields(self, person: Visitor, page: str, form: str) -> dict[str, str]:
        response = person.get(page)
        assert f'action="{page}/{form}"' in response.text
        return hidden_fields(response)

    def send(self, person: Visitor, page: str, form: str, **typed: str) -> Any:
        return person.post(f"{page}/{form}", data={**self.fields(person, page, form), **typed})

    def test_editing(self, alice: Visitor, page: str) -> None:
        response = self.send(alice, page, "edit", text="two\r\nlines")
        assert (response.status_code, response.location) == (303, page)
        [message] = alice.get("/api/rooms/lobby/messages").get_json()["messages"]
        assert message["text"] == "two\nlines"
        assert f'data-edited href="{page}/changes">edited <time' in alice.get(page).text

    def test_a_refused_deletion_shows_the_reason(self, alice: Visitor, page: str) -> None:
        response = self.send(alice, page, "delete", csrf_token="forged")
        assert response.status_code == 400
        assert "expired" in problem(response)

    def test_deleting(self, alice: Visitor, page: str) -> None:
        response = self.send(alice, page, "delete")
        assert (response.status_code, response.location) == (303, page)
        shown = alice.get(page).text
        assert "This message was deleted." in shown
        assert "message-forms" not in shown

    @pytest.mark.parametrize(("text", "says"), [(" ", "The message is empty"), ("x" * 4001, "too long")])
    def test_the_typed_text_is_kept(self, alice: Visitor, page: str, text: str, says: str) -> None:
        response = self.send(alice, page, "edit", text=text)
        assert response.status_code == 400
        assert says in problem(response)
        assert f"{text}</textarea>" in response.text

    def test_a_newer_edit_is_shown_before_it_is_replaced(self, alice: Visitor, page: str) -> None:
        late = self.fields(alice, page, "edit")
        self.send(alice, page, "edit", text="two")
        response = alice.post(f"{page}/edit", data={**late, "text": "three"})
        assert response.status_code == 409
        assert bodies(response.text) == ["two"]
        assert response.text.count("three</textarea>") == 1, "in the form for editing, and not in the one for a message"
        again = hidden_fields(response)
        assert alice.post(f"{page}/edit", data={**again, "text": "three"}).status_code == 303
        assert bodies(alice.get(page).text) == ["three"]

    def test_others_have_no_forms_and_may_not_send_them(self, alice: Visitor, bob: Visitor, page: str) -> None:
        assert not re.search(rf"{page}/(edit|delete)", bob.get(page).text)
        fields = bob.fields("/chatroom")
        for form in ("edit", "delete"):
            assert bob.post(f"{page}/{form}", data={**fields, "text": "mine now"}).status_code == 403
        assert bodies(alice.get(page).text) == ["one"]

    def test_an_expired_form_is_shown_again(self, alice: Visitor, page: str) -> None:
        """C01."""
        response = alice.post(f"{page}/edit", data={"csrf_token": "forged", "text": "typed", "revision": "1"})
        assert response.status_code == 400
        assert "has expired" in response.text
        assert "typed</textarea>" in response.text
        assert alice.post(f"{page}/delete", data={"csrf_token": "forged"}).status_code == 400
        assert bodies(alice.get(page).text) == ["one"]

    @pytest.mark.parametrize("revision", ["", "x", "-1", "9" * 40])
    def test_a_revision_that_is_none(self, alice: Visitor, page: str, revision: str) -> None:
        assert self.send(alice, page, "edit", text="two", revision=revision).status_code == 303

    def test_too_fast(self, make_app: MakeApp) -> None:
        alice = signed_in(make_app(post_limit_account="2 per minute"), "alice")
        alice.say("one")
        self.send(alice, "/chatroom/lobby/1", "edit", text="two")
        response = self.send(alice, "/chatroom/lobby/1", "edit", text="three")
        assert response.status_code == 429
        assert int(response.headers["Retry-After"]) > 0
        assert "three</textarea>" in response.text


class TestAnswers:
    def test_from_the_page_of_what_is_answered(self, alice: Visitor, bob: Visitor) -> None:
        alice.say("*one* & more")
        page = bob.get("/chatroom/lobby/1")
        assert 'name="reply_to" value="1">' in page.text, "it is not a reply yet"
        reply = re.search(r'href="([^"]*)">Reply</a>', page.text)
        assert reply
        page = bob.get(reply[1])
        assert 'name="reply_to" value="1" checked' in page.text
        response = bob.post("/chatroom/lobby", data={**hidden_fields(page), "text": "yes", "reply_to": "1"})
        assert response.status_code == 303
        shown = alice.get("/chatroom").text
        quote = re.search(r'<a class="quote"[^>]*href="([^"]*)">(.*?)</a>', shown)
        assert quote
        assert quote[1] == "/chatroom/lobby/1"
        assert re.sub("<[^>]*>", "", quote[2]) == "Alice one &amp; more"

    def test_an_error_keeps_the_typed_text(self, alice: Visitor) -> None:
        response = alice.say("typed", reply_to="7")
        assert response.status_code == 400
        assert "not in this room" in problem(response)
        assert "typed</textarea>" in response.text

    def test_a_quote_shows_the_current_text(self, alice: Visitor) -> None:
        alice.say("one")
        alice.say("two", reply_to="1")
        forms = TestForms()
        forms.send(alice, "/chatroom/lobby/1", "edit", text="three")
        assert 'dir="auto">three</span></a>' in alice.get("/chatroom").text
        forms.send(alice, "/chatroom/lobby/1", "delete")
        assert 'dir="auto">This message was deleted.</span></a>' in alice.get("/chatroom/lobby/messages").text


class TestChanges:
    """What a message said before."""

    PAGE = "/chatroom/lobby/1/changes"

    @pytest.fixture(autouse=True)
    def edited(self, alice: Visitor, bob: Visitor) -> None:
        """Alice is the administrator of the site; Bob wrote the message."""
        bob.say("<i>teh</i> cat")
        bob.submit("/chatroom/lobby/1", to="/chatroom/lobby/1/edit", text="<i>the</i> cat")

    def test_the_author_and_the_moderators_read_it(self, alice: Visitor, bob: Visitor) -> None:
        for reader in (alice, bob):
            page = reader.get(self.PAGE).text
            assert re.search(r"<del>.*?</span>teh<span.*?</del><ins>.*?</span>the<span", page)
            assert "&lt;i&gt;" in page
            assert "<i>" not in page
            for place in ("/chatroom/lobby", "/chatroom/lobby/1", "/chatroom/lobby/messages"):
                assert f'data-edited href="{self.PAGE}"' in reader.get(place).text, place

    def test_others_read_only_that_it_was_edited(self, mallory: Visitor) -> None:
        response = mallory.get(self.PAGE)
        assert response.status_code == 403
        assert "teh" not in response.text
        page = mallory.get("/chatroom/lobby/1").text
        assert "data-edited>edited <time" in page
        assert self.PAGE not in page

    def test_after_a_deletion_there_is_nothing(self, bob: Visitor) -> None:
        bob.submit("/chatroom/lobby/1", to="/chatroom/lobby/1/delete")
        assert bob.get(self.PAGE).status_code == 404
        assert self.PAGE not in bob.get("/chatroom/lobby").text

    def test_a_message_that_was_never_changed(self, bob: Visitor) -> None:
        bob.say("as it is")
        page = bob.get("/chatroom/lobby/3/changes")
        assert page.status_code == 200
        assert "Nothing: this message is as" in page.text
        assert bob.get("/chatroom/lobby/99/changes").status_code == 404
