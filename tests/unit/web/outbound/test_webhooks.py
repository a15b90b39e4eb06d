"""Webhooks, on their room's page and in use."""

import json
import re
from typing import Any

import pytest

from chatroom.rooms.access import LOBBY
from chatroom.services import Services
from tests.conftest import MakeApp, services_of, signed_in, visitor
from tests.visitors import Visitor, problem, texts

PAGE = "/chatroom/lobby/webhooks"


def make(person: Visitor, **typed: str) -> str:
    """Make an incoming webhook, and return the path of its address."""
    response = person.submit(PAGE, **{"kind": "incoming", "name": "CI", **typed})
    assert response.status_code == 201
    found = re.search(r"<code>http://[^/]+(/hooks/[\w-]+)</code>", response.text)
    assert found
    return found[1]


class TestPage:
    def test_an_address_is_shown_once(self, alice: Visitor) -> None:
        path = make(alice)
        page = alice.get(PAGE).text
        assert path not in page
        assert "<bdi>CI</bdi>" in page

    def test_it_shows_what_to_enter_in_other_programs(self, alice: Visitor) -> None:
        page = alice.submit(PAGE, kind="incoming", name="CI").text
        [secret] = set(re.findall(r"http://localhost/hooks/([\w-]+)", page))
        assert f"  - url: http://localhost/hooks/{secret}</code>" in page
        assert f"mmost://localhost/{secret}</code>" in page
        assert "Grafana" in page

    @pytest.mark.parametrize(
        ("name", "says"),
        [
            ("Alice", "a member"),
            ("alice", "a member"),
            ("AIice", "a member"),  # with a capital I
            ("Bob", "a member"),
            ("Admin", "reserved"),
            ("adm1n", "reserved"),
            ("B\u043eb", "scripts"),  # with a Cyrillic o
            ("CI\u200b", "visible characters"),
            ("\u115f", "visible characters"),
        ],
    )
    @pytest.mark.parametrize("kind", ["incoming", "outgoing"])
    def test_it_cannot_impersonate_a_user(self, alice: Visitor, bob: Visitor, name: str, says: str, kind: str) -> None:
        """U10."""
        answer = alice.submit(PAGE, kind=kind, name=name, url="https://93.184.215.14/")
        assert answer.status_code in {400, 409}
        assert says in problem(answer)

    def test_it_is_removed(self, alice: Visitor, client: Visitor) -> None:
        path = make(alice)
        [remove] = re.findall(r'action="(/chatroom/lobby/webhooks/\w+/remove)"', alice.get(PAGE).text)
        assert alice.submit(PAGE, to=remove).status_code == 303
        assert client.post(path, json={"text": "hello"}).status_code == 404
        assert alice.submit(PAGE, to=remove).status_code == 404

    def test_members_have_no_business_here(self, alice: Visitor, bob: Visitor) -> None:
        """P06."""
        make(alice)
        [remove] = re.findall(r'action="(/chatroom/lobby/webhooks/\w+/remove)"', alice.get(PAGE).text)
        assert bob.get(PAGE).status_code == 403
        assert bob.submit("/login", to=PAGE, kind="incoming", name="CI").status_code == 403
        assert bob.submit("/login", to=remove).status_code == 403
        assert f'href="{PAGE}"' in alice.get("/rooms/lobby/general").text
        assert f'href="{PAGE}"' not in bob.get("/rooms/lobby/about").text

    def test_a_key_is_shown_once(self, alice: Visitor, services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(services.outbound.webhooks, "_is_allowed", lambda host: True)
        response = alice.submit(PAGE, kind="outgoing", name="Logs", url="https://logs.test/", trigger="!log")
        assert response.status_code == 201
        assert "whsec_" in response.text
        page = alice.get(PAGE).text
        assert "whsec_" not in page
        assert "https://logs.test/" in page

    def test_the_typed_text_is_kept(self, alice: Visitor) -> None:
        """P08."""
        response = alice.submit(PAGE, kind="outgoing", name="Logs", url="http://127.0.0.1/", trigger="!log")
        assert response.status_code == 400
        assert "not on the public internet" in problem(response)
        assert all(f'value="{typed}"' in response.text for typed in ("Logs", "http://127.0.0.1/", "!log"))

    def test_a_stale_form(self, alice: Visitor) -> None:
        """C01."""
        assert alice.submit(PAGE, kind="incoming", name="CI", csrf_token="forged").status_code == 400


class TestPosting:
    @pytest.fixture
    def path(self, alice: Visitor) -> str:
        return make(alice)

    @pytest.mark.parametrize(
        "sent",
        [
            {"json": {"text": "hello"}},
            {"json": {"text": "hello", "username": "slack", "icon_emoji": ":x:", "attachments": []}},
            {"json": {"attachments": [{"fallback": "hello"}]}},
            {"json": {"blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": "hello"}}]}},
            {"json": {"content": "hello"}},
            {"json": {"message": "hello"}},
            {"data": {"payload_json": json.dumps({"embeds": [{"description": "hello"}]})}},
            {"data": b'{"text": "hello"}', "content_type": "application/x-www-form-urlencoded"},
            {"data": b'{"text": "hello"}', "content_type": "text/plain;charset=UTF-8"},
            {"data": {"text": "hello"}},
            {"data": {"payload": json.dumps({"text": "hello"})}},
            {"data": b"hello", "content_type": "text/plain"},
            {"data": b'{"text": "hello"}', "content_type": ""},
        ],
        ids=str,
    )
    def test_the_ways_to_say_it(self, client: Visitor, services: Services, path: str, sent: dict[str, Any]) -> None:
        response = client.post(path, **sent)
        assert (response.status_code, response.text, response.mimetype) == (200, "ok", "text/plain")
        assert texts(services) == ["hello"]
        [message] = services.messages.history.newest(LOBBY, 1).messages
        assert response.headers["X-Message-Id"] == message.id
        assert response.headers["X-Message-Sequence"] == "1"

    def test_mentioned_people_are_notified(self, alice: Visitor, bob: Visitor, client: Visitor, path: str) -> None:
        """Everybody, too: who makes a webhook may name everybody."""
        bob.get("/chatroom")
        assert client.post(path, json={"text": "@bob: the build is broken"}).status_code == 200
        assert client.post(path, json={"text": "@room: it is mended"}).status_code == 200
        assert client.post(path, json={"text": "@nobody: hello"}).status_code == 200
        (lobby,) = bob.get("/api/rooms").get_json()["rooms"]
        assert (lobby["unread"], lobby["mentions"]) == (3, 2)

    def test_what_it_quotes_notifies_nobody(self, alice: Visitor, bob: Visitor, client: Visitor, path: str) -> None:
        """P14."""
        bob.get("/chatroom")
        for body in (
            {"text": "<!channel> hi", "attachments": [{"text": "@bob @room"}]},
            {"text": "@room", "username": "CI"},
            {"blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": "<@U1|bob> @bob"}}]},
            {"embeds": [{"title": "@bob", "description": "@room"}]},
            {"alerts": [{"labels": {"alertname": "@bob"}, "annotations": {"summary": "@room"}}]},
        ):
            assert client.post(path, json=body).status_code == 200
        (lobby,) = bob.get("/api/rooms").get_json()["rooms"]
        assert (lobby["unread"], lobby["mentions"]) == (5, 0)

    def test_slow_mode_treats_it_like_its_creator(self, client: Visitor, services: Services, path: str) -> None:
        services.database["rooms"].update_one({"_id": "lobby"}, {"$set": {"slow_seconds": 60, "is_read_only": True}})
        assert [client.post(path, json={"text": "hello"}).status_code for _ in range(2)] == [200, 200]

    def test_it_is_shown_under_the_webhook_s_name(self, alice: Visitor, client: Visitor, path: str) -> None:
        client.post(path, json={"text": "*built* _it_"})
        page = alice.get("/chatroom").text
        assert "<strong>built</strong> <em>it</em>" in page
        assert ">CI</bdi>" in page
        assert "data-bot>bot</span>" in page

    @pytest.mark.parametrize(
        ("sent", "name"),
        [
            ({"username": "GitHub"}, "GitHub via CI"),
            ({"username": "GitHub", "icon_emoji": ":rocket:"}, "GitHub 🚀 via CI"),
            ({"icon_emoji": ":rocket:", "icon_url": "https://a.example/a.png"}, "CI 🚀"),
            ({"username": "Bender", "icon_emoji": ":robot_face:"}, "Bender 🤖 via CI"),
            ({"username": "ci", "icon_emoji": ":white_check_mark:"}, "CI"),
            ({"username": "Alice"}, "CI"),
            ({"username": "AIice"}, "CI"),
            ({"username": "Admin"}, "CI"),
            ({"username": "B\u043eb"}, "CI"),
            ({"username": "a\u200b"}, "CI"),
            ({"username": None}, "CI"),
            ({"username": "x" * 50}, "x" * 40 + " via CI"),
        ],
        ids=str,
    )
    def test_its_program_can_have_a_name_beside_that_of_the_webhook(
        self, client: Visitor, services: Services, path: str, sent: dict[str, Any], name: str
    ) -> None:
        """U10."""
        assert client.post(path, json={"text": "hello"} | sent).status_code == 200
        [message] = services.messages.history.newest(LOBBY, 1).messages
        assert (message.author.name, message.author.is_bot) == (name, True)

    def test_two_programs_of_a_webhook_have_two_author_lines(self, alice: Visitor, client: Visitor, path: str) -> None:
        for name in ("Build", "Build", "Deploy"):
            client.post(path, json={"text": "hello", "username": name})
        assert alice.get("/chatroom").text.count("message--joined") == 1

    def test_the_same_client_id_again(self, client: Visitor, services: Services, path: str) -> None:
        answers = [client.post(path, json={"text": "hello", "client_id": "build-7"}) for _ in range(2)]
        assert [(answer.status_code, answer.text) for answer in answers] == [(200, "ok")] * 2
        assert answers[0].headers["X-Message-Id"] == answers[1].headers["X-Message-Id"]
        assert texts(services) == ["hello"]

    @pytest.mark.parametrize(
        ("sent", "reason"),
        [
            ({"json": {}}, "invalid"),
            ({"json": {"text": {"$ne": 1}}}, "invalid"),
            ({"json": {"text": "a", "client_id": "."}}, "invalid"),
            ({"json": ["text"]}, "invalid"),
            ({"data": b"[" * 100_000, "content_type": "application/json"}, "invalid"),
            ({"data": b"\xff\x81", "content_type": "text/plain"}, "invalid"),
            ({"data": {"payload": "{"}}, "invalid"),
            ({"data": {"words": "a"}}, "invalid"),
            ({"json": {"attachments": [{"fields": [{}] * 10_000}]}}, "invalid"),
            ({"json": {"attachments": [{"color": "#f00"}]}}, "empty"),
            ({"json": {"text": " "}}, "empty"),
        ],
        ids=lambda value: str(value)[:40],
    )
    def test_refusals(self, client: Visitor, services: Services, path: str, sent: dict[str, Any], reason: str) -> None:
        """I02, I08."""
        response = client.post(path, **sent)
        assert response.status_code == 400
        assert response.get_json()["error"]["reason"] == reason
        assert texts(services) == []

    def test_a_long_text_is_shortened(self, client: Visitor, services: Services, path: str) -> None:
        assert client.post(path, json={"text": "x" * 4001}).status_code == 200
        [text] = texts(services)
        assert len(text) <= 4000
        assert text.endswith("… (shortened)")

    @pytest.mark.parametrize("secret", ["guessed", "x" * 5000, "%00", "$ne"])
    def test_a_secret_that_is_none(self, client: Visitor, secret: str) -> None:
        """P07."""
        response = client.post(f"/hooks/{secret}", json={"text": "hello"})
        assert response.status_code == 404
        assert response.get_json()["error"]["reason"] == "not_found"

    def test_it_reads_nothing(self, client: Visitor, path: str) -> None:
        """P07."""
        assert client.get(path).status_code == 405

    def test_too_fast(self, make_app: MakeApp) -> None:
        """L08."""
        app = make_app(post_limit_account="2 per minute")
        path = make(signed_in(app, "alice"))
        statuses = [visitor(app).post(path, json={"text": "hello"}).status_code for _ in range(3)]
        assert statuses == [200, 200, 429]

    def test_an_archived_room(self, client: Visitor, services: Services, path: str) -> None:
        services.database["rooms"].update_one({"_id": "lobby"}, {"$currentDate": {"archived_at": True}})
        refused = client.post(path, json={"text": "hello"})
        assert (refused.status_code, refused.json["error"]["reason"]) == (403, "archived")
        assert services_of(client.application).messages.store.newest_revision("lobby") == 0
