"""First messages of newcomers, whichever way they come: held, seen by nobody, and once. M12, M13."""

import asyncio
import io
from typing import Any

import pytest
from flask import Flask

from chatroom.live.sockets.socketio_connection import Client
from chatroom.moderation import holding
from chatroom.services import Services
from tests.conftest import services_of, signed_in
from tests.pictures import make_picture
from tests.security.live import Socket, served
from tests.visitors import Visitor, user_of
from tests.waiting import PATIENCE_SECONDS, wait_until_in_loop

API = "/api/rooms/lobby/messages"
HELD = "/api/rooms/lobby/held"
MESSAGE = "A moderator reviews your first messages before others see them."


@pytest.fixture(autouse=True)
def wish(services: Services, alice: Visitor, bob: Visitor, mallory: Visitor) -> None:
    """The first two messages of Bob's and Mallory's are held; Alice is the administrator."""
    services.moderation.newcomers.set_first(None, 2)
    bob.get("/chatroom")


def post(visitor: Visitor, **body: Any) -> Any:
    return visitor.post(API, json={"text": "hi", **body}, headers=visitor.csrf())


def waiting(services: Services) -> list[str]:
    return [row.held.text for row in services.moderation.approval.list_all()]


def said(services: Services) -> list[str]:
    return [message.text for message in services.messages.store.newest("lobby", 100)]


class TestApi:
    def test_every_repeat_gets_the_same_answer(self, bob: Visitor, services: Services) -> None:
        first, second = post(bob, client_id="c1"), post(bob, client_id="c1", text="other words")
        assert (first.status_code, second.status_code) == (202, 202)
        expected = {"room": "lobby", "client_id": "c1", "held": True, "message": MESSAGE}
        assert first.json == second.json == {**expected, "id": services.moderation.approval.list_all()[0].held.id}
        assert (waiting(services), said(services)) == (["hi"], [])

    def test_only_its_author_sees_it(self, alice: Visitor, bob: Visitor, mallory: Visitor) -> None:
        post(bob, client_id="c1")
        assert [each["text"] for each in bob.get(HELD).json["held"]] == ["hi"]
        for other in (alice, mallory):
            assert other.get(HELD).json == {"room": "lobby", "held": []}
            assert other.get(API).json["messages"] == []

    def test_after_the_approval_the_stored_message_is_answered(
        self, alice: Visitor, bob: Visitor, services: Services
    ) -> None:
        held_id = post(bob, client_id="c1").json["id"]
        assert alice.submit("/approval", to=f"/approval/{held_id}", act="approve").status_code == 303
        answer = post(bob, client_id="c1")
        assert (answer.status_code, answer.json["sequence"], answer.json["client_id"]) == (200, 1, "c1")
        assert said(services) == ["hi"]
        assert bob.get(HELD).json["held"] == []

    def test_after_the_rejection_the_reason_is(self, alice: Visitor, bob: Visitor, services: Services) -> None:
        held_id = post(bob, client_id="c1").json["id"]
        form = {"act": "reject", "reason": "No <advertising>."}
        assert alice.submit("/approval", to=f"/approval/{held_id}", **form).status_code == 303
        answer = post(bob, client_id="c1")
        assert (answer.status_code, answer.json["error"]["reason"]) == (403, "rejected")
        assert "No <advertising>." in answer.json["error"]["message"]
        (shown,) = bob.get(HELD).json["held"]
        assert (shown["state"], shown["reason"]) == ("rejected", "No <advertising>.")
        assert "No &lt;advertising&gt;." in bob.get("/chatroom").text
        assert said(services) == []

    def test_it_is_taken_back(self, bob: Visitor, mallory: Visitor, services: Services) -> None:
        held_id = post(bob, client_id="c1").json["id"]
        assert mallory.delete(f"{HELD}/{held_id}", headers=mallory.csrf()).status_code == 404
        answer = bob.delete(f"{HELD}/{held_id}", headers=bob.csrf())
        assert (answer.status_code, answer.json) == (200, {"room": "lobby", "id": held_id})
        assert waiting(services) == []
        assert post(bob, client_id="c1").json["error"]["reason"] == "withdrawn"

    def test_without_a_client_id_each_is_another(self, bob: Visitor, services: Services) -> None:
        answers = [post(bob), post(bob)]
        assert all("client_id" not in answer.json for answer in answers)
        assert len(waiting(services)) == 2

    def test_beyond_the_limit_of_waiting_drafts(self, bob: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(holding, "MOST_HELD", 2)
        answers = [post(bob) for _ in range(3)]
        assert [answer.status_code for answer in answers] == [202, 202, 409]
        assert answers[-1].json["error"]["reason"] == "too_many_held"

    def test_a_held_file_is_visible_to_its_author_and_the_moderators(
        self, alice: Visitor, bob: Visitor, mallory: Visitor
    ) -> None:
        body, headers = make_picture("PNG"), bob.csrf()
        file = bob.post("/api/rooms/lobby/files?name=a.png", data=body, headers=headers).json
        held_id = post(bob, text="", files=[file["id"]], client_id="c1").json["id"]
        path = f"/files/{file['id']}/a.png"
        assert [visitor.get(path).status_code for visitor in (alice, bob, mallory)] == [200, 200, 404]
        assert path in alice.get("/approval").text
        alice.submit("/approval", to=f"/approval/{held_id}", act="approve")
        assert mallory.get("/chatroom").status_code == mallory.get(path).status_code == 200

    def test_a_rejected_one_s_file_is_gone(self, alice: Visitor, bob: Visitor) -> None:
        file = bob.post("/api/rooms/lobby/files?name=a.txt", data=b"words", headers=bob.csrf()).json
        held_id = post(bob, text="", files=[file["id"]], client_id="c1").json["id"]
        alice.submit("/approval", to=f"/approval/{held_id}", act="reject", reason="No.")
        assert bob.get(f"/files/{file['id']}/a.txt").status_code == 404

    def test_search_and_exports_know_nothing_of_it_and_one_s_own_data_does(
        self, app: Flask, alice: Visitor, bob: Visitor
    ) -> None:
        post(bob, text="unheard-of words", client_id="c1")
        for path in ("/search?q=unheard", "/chatroom/lobby/export?format=text"):
            assert "unheard-of words" not in alice.get(path).text
        assert bob.get("/api/search?q=unheard").json["hits"] == []
        assert '"held_message"' in bob.get("/account/data").text
        assert "unheard-of words" in bob.get("/account/data").text
        assert "unheard-of words" not in alice.get("/account/data").text


class TestForm:
    def test_it_is_shown_as_waiting_and_can_be_withdrawn(
        self, alice: Visitor, bob: Visitor, services: Services
    ) -> None:
        assert bob.say("first <words>").status_code == 303
        for path in ("/chatroom", "/chatroom/lobby/messages"):
            page = bob.get(path).text
            assert "first &lt;words&gt;" in page
            assert "Waiting for approval" in page
            assert "first &lt;words&gt;" not in alice.get(path).text
        (row,) = services.moderation.approval.list_all()
        assert bob.submit("/chatroom", to=f"/chatroom/lobby/held/{row.held.id}/withdraw").status_code == 303
        assert "first &lt;words&gt;" not in bob.get("/chatroom").text

    def test_sent_twice_it_waits_once_and_with_another_text_twice(self, bob: Visitor, services: Services) -> None:
        fields = {**bob.fields("/chatroom"), "text": "one"}
        for text in ("one", "one", "two", "two"):
            assert bob.post("/chatroom", data={**fields, "text": text}).status_code == 303
        assert waiting(services) == ["one", "two"]

    def test_with_a_file(self, bob: Visitor, services: Services) -> None:
        fields = {**bob.fields("/chatroom"), "text": "", "files": (io.BytesIO(b"words"), "a.txt")}
        assert bob.post("/chatroom", data=fields, content_type="multipart/form-data").status_code == 303
        (row,) = services.moderation.approval.list_all()
        assert [file.name for file in row.held.files] == ["a.txt"]
        assert "a.txt" in bob.get("/chatroom/lobby/messages").text

    def test_taken_back_too_late(self, alice: Visitor, bob: Visitor, services: Services) -> None:
        bob.say("hi")
        (row,) = services.moderation.approval.list_all()
        services.moderation.approval.approve(None, row.held.id)
        late = bob.submit("/chatroom", to=f"/chatroom/lobby/held/{row.held.id}/withdraw")
        assert late.status_code == 409
        assert "approved in the meantime" in late.text


class TestQueue:
    def test_the_view_of_a_moderator(self, alice: Visitor, bob: Visitor, services: Services) -> None:
        services.moderation.approval.approve(None, post(bob).json["id"])
        post(bob, text="Buy <this>")
        page = alice.get("/approval").text
        for words in ("Bob", "in Lobby", "Buy &lt;this&gt;", "approved messages: 1"):
            assert words in page
        assert "1 message is waiting for approval" in alice.get("/chatroom").text
        assert "for approval" not in bob.get("/chatroom/lobby/messages").text.replace("Waiting for approval", "")

    def test_the_second_moderator_is_informed(self, alice: Visitor, bob: Visitor, services: Services) -> None:
        held_id = post(bob).json["id"]
        services.moderation.approval.approve(None, held_id)
        late = alice.submit("/approval", to=f"/approval/{held_id}", act="reject", reason="No.")
        assert late.status_code == 409
        assert "Already decided: the console approved this message." in late.text

    def test_trust(self, alice: Visitor, bob: Visitor) -> None:
        alice.submit("/approval", to=f"/approval/{post(bob).json['id']}", act="trust")
        assert post(bob).status_code == 201

    def test_with_all_others_of_theirs(self, alice: Visitor, bob: Visitor, services: Services) -> None:
        held_id, *_ = [post(bob).json["id"] for _ in range(3)]
        alice.submit("/approval", to=f"/approval/{held_id}", act="reject", reason="Advertising.", others="on")
        assert waiting(services) == []

    def test_invalid_input_is_shown_again(self, alice: Visitor, bob: Visitor) -> None:
        held_id = post(bob).json["id"]
        for typed, words in (({"act": "reject", "reason": " "}, "Give a reason"), ({"act": "x"}, "Choose whether to")):
            page = alice.submit("/approval", to=f"/approval/{held_id}", **typed)
            assert page.status_code == 400
            assert words in page.text

    def test_a_newcomer_learns_what_needs_approval(self, app: Flask, bob: Visitor, mallory: Visitor) -> None:
        other = user_of(services_of(app), "mallory").id
        page = bob.submit("/rooms/new", title="Bargains", topic="", kind="public")
        assert page.status_code == 403
        assert "you cannot create rooms" in page.text
        page = bob.submit("/people", person=other)
        assert page.status_code == 403
        assert "to moderators only" in page.text


class TestSwitch:
    def test_on_the_page_and_at_once(self, alice: Visitor, bob: Visitor, services: Services) -> None:
        assert 'name="first" type="number" min="0" max="20" value="2"' in alice.get("/admin/joining").text
        assert alice.submit("/admin/joining", to="/admin/holding", first="0").status_code == 303
        assert post(bob).status_code == 201
        for wrong in ("21", "-1", "many"):
            assert alice.submit("/admin/joining", to="/admin/holding", first=wrong).status_code == 400

    def test_off_unless_it_is_wished(self, make_app: Any) -> None:
        app = make_app()
        signed_in(app, "alice")
        assert post(signed_in(app, "bob")).status_code == 201


class TestSockets:
    def test_a_websocket(self, app: Flask, services: Services) -> None:
        """The answer, the same one again, the approval as it is heard, and the setting as it is changed."""
        bob = user_of(services, "bob")
        token = services.people.sessions.create_token(bob, label="bot")

        async def test() -> None:
            async with served(app) as asgi:
                socket = Socket(asgi, token=token, query={"room": "lobby"})
                assert await socket.open() == 101
                frame = {"type": "post", "room": "lobby", "text": "hi", "client_id": "c1"}
                for _ in range(2):
                    socket.send(frame)
                    held = await socket.receive("held", "stored", "refused")
                    assert held["type"] == "held"
                    assert (held["room"], held["client_id"], held["message"]) == ("lobby", "c1", MESSAGE)
                assert said(services) == []
                await asyncio.to_thread(services.moderation.approval.approve, None, held["id"])
                changes = await socket.receive("changes")
                assert [message["client_id"] for message in changes["messages"]] == ["c1"]
                assert (await socket.receive("approval"))["room"] == "lobby"
                socket.send(frame)
                assert (await socket.receive("held", "stored", "refused"))["sequence"] == 1
                socket.send({"type": "edit", "room": "lobby", "id": changes["messages"][0]["id"], "text": "Buy!"})
                assert (await socket.receive("stored", "refused"))["reason"] == "newcomer"
                await asyncio.to_thread(services.moderation.newcomers.set_first, None, 0)
                socket.send({**frame, "client_id": "c2"})
                assert (await socket.receive("held", "stored", "refused"))["type"] == "stored"
                await socket.leave()

        asyncio.run(test())

    def test_an_ordinary_post_makes_no_extra_query(
        self, app: Flask, services: Services, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Alice keeps order, Bob has been trusted long ago: nothing is looked up for what they post."""
        bob = user_of(services, "bob")
        services.database["users"].update_one({"_id": bob.id}, {"$set": {"is_trusted": True}})
        tokens = [
            services.people.sessions.create_token(user, label="bot") for user in (user_of(services, "alice"), bob)
        ]
        asked = []
        monkeypatch.setattr(services.moderation.holding, "hold", lambda *_: asked.append(1))

        async def test() -> None:
            async with served(app) as asgi:
                for token in tokens:
                    socket = Socket(asgi, token=token)
                    await socket.open()
                    socket.send({"type": "post", "room": "lobby", "text": "hi"})
                    assert (await socket.receive("held", "stored", "refused"))["type"] == "stored"
                    await socket.leave()

        asyncio.run(test())
        assert asked == []

    def test_socket_io_acknowledges_a_held_message(self, app: Flask, services: Services) -> None:
        bob = user_of(services, "bob")
        token = services.people.sessions.create_token(bob, label="bot")
        emitted: list[tuple[str, Any]] = []

        async def emit(name: str, content: Any) -> None:
            emitted.append((name, content))

        async def end(_: int, __: str) -> None:
            raise AssertionError

        async def test() -> None:
            async with served(app) as asgi:
                live: Any = asgi._live  # the endpoint that Socket.IO uses too
                scope = {"type": "websocket", "headers": [(b"authorization", b"Bearer " + token.encode())]}
                scope |= {"client": ("192.0.2.7", 5000), "scheme": "ws", "path": "/socket.io/"}
                visitor = await live.engine.run(live.entrance.sign_in, scope)
                client = Client(live.engine, live.chat, visitor, emit=emit, end=end)
                serving = asyncio.create_task(client.serve())
                answer = await client.answer("new_message", [{"text": "hi", "client_id": "c1"}])
                again = await client.answer("new_message", [{"text": "hi", "client_id": "c1"}])
                assert answer == again
                assert (answer["held"], answer["client_id"], answer["message"]) == (True, "c1", MESSAGE)
                await asyncio.to_thread(services.moderation.approval.reject, None, answer["id"], "No.")
                refused = await client.answer("new_message", [{"text": "hi", "client_id": "c1"}])
                assert refused["error"]["reason"] == "rejected"
                await wait_until_in_loop(lambda: ("approval", {"room": "lobby"}) in emitted)
                client.leave()
                await asyncio.wait_for(serving, PATIENCE_SECONDS)

        asyncio.run(test())
        assert said(services) == []
