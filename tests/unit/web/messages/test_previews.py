"""Previews of a text: rendered like a message of the room, and never stored."""

import io
import re
from typing import Any

import pytest

from chatroom.base.models import Room
from chatroom.services import Services
from chatroom.site.limits import AccountLimit
from tests.visitors import Visitor, bodies, hidden_fields, problem, texts

LOBBY = "/api/rooms/lobby/preview"


def preview(person: Visitor, text: Any, path: str = LOBBY) -> Any:
    return person.post(path, json={"text": text}, headers=person.csrf())


class TestApi:
    @pytest.mark.parametrize(
        "text", ["a *b* **c**", "```python\nprint(1)\n```", "<b>x</b> [y](javascript:z)", "hi @bob", "1. one\n\n> two"]
    )
    def test_it_is_the_html_of_the_message_and_nothing_is_stored(
        self, alice: Visitor, bob: Visitor, services: Services, text: str
    ) -> None:
        answer = preview(alice, text)
        assert (answer.status_code, answer.get_json()["room"], texts(services)) == (200, "lobby", [])
        alice.say(text)
        [message] = bob.get("/api/rooms/lobby/messages?format=html").get_json()["messages"]
        assert answer.get_json()["html"] == message["html"]

    @pytest.mark.parametrize(("text", "reason"), [(" ", "empty"), ("x" * 4001, "too_long"), (7, "invalid")])
    def test_a_text_that_cannot_be_a_message(self, alice: Visitor, text: Any, reason: str) -> None:
        assert preview(alice, text).get_json()["error"]["reason"] == reason

    def test_outsiders(self, mallory: Visitor, secret_room: Room) -> None:
        assert preview(mallory, "hi @alice", f"/api/rooms/{secret_room.slug}/preview").status_code == 404

    def test_too_many(self, alice: Visitor, bob: Visitor, services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(services.site.limits, "previewing", AccountLimit("1 per hour", "Too many."))
        assert [preview(each, "hi").status_code for each in (alice, alice, bob)] == [200, 429, 200]
        assert alice.say("a draft", preview="yes").status_code == 429


class TestForm:
    def test_the_page_has_the_preview_and_the_text_which_is_posted_once(
        self, alice: Visitor, services: Services
    ) -> None:
        alice.say("first")
        page = alice.say("some *words* &", preview="yes", client_id="mine", reply_to="1")
        assert page.status_code == 200
        assert re.search(r'data-preview [^>]*tabindex="0"><p>some <em>words</em> &amp;</p>', page.text)
        assert "some *words* &amp;</textarea>" in page.text
        assert re.search(r'name="reply_to" value="1" checked', page.text)
        assert hidden_fields(page)["client_id"] == "mine"
        assert texts(services) == ["first"]
        alice.say("some *words* &", client_id="mine")
        assert texts(services) == ["first", "some *words* &"]

    def test_a_page_without_a_preview_shows_none(self, alice: Visitor) -> None:
        assert re.search(r'data-preview [^>]*tabindex="0" hidden></section>', alice.get("/chatroom").text)

    def test_an_empty_text(self, alice: Visitor) -> None:
        page = alice.say(" ", preview="yes")
        assert (page.status_code, problem(page)) == (400, "The message is empty.")

    def test_files_are_not_stored_and_the_page_says_so(self, alice: Visitor, services: Services) -> None:
        fields = {"csrf_token": alice.token(), "text": "look", "preview": "yes"}
        page = alice.post("/chatroom", data={**fields, "files": (io.BytesIO(b"x"), "x.txt")})
        assert "Choose your files again" in page.text
        assert services.database["files.files"].count_documents({}) == 0
        assert "Choose your files again" not in alice.say("look", preview="yes").text

    def test_outsiders(self, mallory: Visitor, secret_room: Room) -> None:
        assert mallory.say("hi", f"/chatroom/{secret_room.slug}", preview="yes").status_code == 404
        assert bodies(mallory.get("/chatroom").text) == []
