"""The JSON API (docs/protocol.md)."""

import json
from typing import Any

import pytest
from flask import Flask

from chatroom.services import Services
from tests.conftest import MakeApp, services_of, signed_in, visitor
from tests.visitors import LOBBY, OTHER_CREDENTIALS, Visitor, post, texts, user_of


class TestPost:
    def test_storing(self, alice: Visitor, services: Services) -> None:
        response = post(alice, "hello", client_id="a1")
        assert response.status_code == 201
        answer = response.get_json()
        assert answer.pop("id")
        assert answer == {"room": "lobby", "client_id": "a1", "sequence": 1, "revision": 1}
        assert texts(services) == ["hello"]

    def test_the_same_client_id_again(self, alice: Visitor, services: Services) -> None:
        """D03: 200, and the message that it made the first time, whatever the text is now."""
        first = post(alice, "hello", client_id="a1")
        again = post(alice, "another", client_id="a1")
        assert (again.status_code, again.get_json()) == (200, first.get_json())
        assert texts(services) == ["hello"]

    def test_an_answer(self, alice: Visitor) -> None:
        post(alice, "one")
        assert post(alice, "yes", reply_to=1).status_code == 201
        assert alice.get(LOBBY).get_json()["messages"][1]["reply_to"] == 1
        response = post(alice, "yes", reply_to=9)
        assert (response.status_code, response.get_json()["error"]["reason"]) == (400, "invalid")

    def test_without_a_client_id(self, alice: Visitor, services: Services) -> None:
        answers = [post(alice).get_json() for _ in range(2)]
        assert "client_id" not in answers[0]
        assert [answer["sequence"] for answer in answers] == [1, 2]

    @pytest.mark.parametrize(
        "body",
        [
            {},
            {"text": None},
            {"text": 7},
            {"text": {"$ne": 1}},
            {"text": ["a"]},
            {"text": True},
            {"text": "a", "client_id": {"$ne": 1}},
            {"text": "a", "client_id": 7},
            {"text": "a", "client_id": ""},
            {"text": "a", "client_id": ".x"},
            {"text": "a", "client_id": "x" * 65},
            {"text": "a", "author": "bob"},
            {"text": "a", "$set": {}},
            [],
            "text",
            None,
            7,
        ],
        ids=str,
    )
    def test_anything_else_is_invalid(self, alice: Visitor, services: Services, body: Any) -> None:
        """I02, I06, W03."""
        response = alice.post(LOBBY, data=json.dumps(body), content_type="application/json", headers=alice.csrf())
        assert response.status_code == 400
        assert response.get_json()["error"]["reason"] == "invalid"
        assert texts(services) == []

    @pytest.mark.parametrize(
        ("raw", "content_type"),
        [
            (b"", "application/json"),
            (b"{", "application/json"),
            (b'{"text": "a"}', "text/plain"),
            (b'{"text": "a"}', ""),
            (b"text=a", "application/x-www-form-urlencoded"),
            (b'{"text": NaN}', "application/json"),
            (b'{"text": "\xff"}', "application/json"),
            (b'{"text": "\\ud800"}', "application/json"),
            (b"[" * 200_000, "application/json"),
            (b'{"text":' * 20_000, "application/json"),
            (b"9" * 5000, "application/json"),
        ],
        ids=lambda value: ascii(value)[:24],
    )
    def test_invalid_json(self, alice: Visitor, services: Services, raw: bytes, content_type: str) -> None:
        """I08, C07, U07."""
        response = alice.post(LOBBY, data=raw, content_type=content_type, headers=alice.csrf())
        assert response.status_code == 400
        assert response.get_json()["error"]["reason"] == "invalid"
        assert texts(services) == []

    @pytest.mark.parametrize(
        ("text", "reason"), [("", "empty"), (" \n ", "empty"), ("x" * 4001, "too_long")], ids=["none", "spaces", "long"]
    )
    def test_texts_that_are_refused(self, alice: Visitor, text: str, reason: str) -> None:
        """L01: as on every path."""
        response = post(alice, text)
        assert response.status_code == 400
        assert response.get_json()["error"]["reason"] == reason

    def test_too_large(self, alice: Visitor) -> None:
        """L03."""
        response = post(alice, "x" * 300_000)
        assert response.status_code == 413
        assert response.get_json()["error"]["reason"] == "too_long"

    def test_too_fast(self, make_app: MakeApp) -> None:
        """L08: one count for the form and the API."""
        alice = signed_in(make_app(post_limit_account="2 per minute"), "alice")
        alice.say("one")
        assert post(alice).status_code == 201
        response = post(alice)
        assert response.status_code == 429
        error = response.get_json()["error"]
        assert error["reason"] == "too_fast"
        assert 0 < error["retry_after"] <= 60
        assert int(response.headers["Retry-After"]) >= error["retry_after"]

    def test_text_is_kept_as_it_is(self, alice: Visitor) -> None:
        """U07."""
        text = "one\r\ntwo \u2028 👩\u200d👩 \u202e {{7*7}} a\0b"
        post(alice, text)
        assert alice.get(LOBBY).get_json()["messages"][0]["text"] == text


class TestRead:
    @pytest.fixture
    def reader(self, make_app: MakeApp) -> Visitor:
        reader = signed_in(make_app(history_page=3), "alice")
        for number in range(1, 8):
            reader.say(str(number))
        return reader

    def read(self, person: Visitor, **query: Any) -> Any:
        response = person.get(LOBBY, query_string=query)
        assert response.status_code == 200
        page = response.get_json()
        return [message["text"] for message in page["messages"]], page["revision"], page["more"]

    def test_the_newest_page(self, reader: Visitor) -> None:
        assert self.read(reader) == (["5", "6", "7"], 7, True)
        assert self.read(reader, limit=7) == ([*"1234567"], 7, False)

    def test_changes_after_a_revision(self, reader: Visitor) -> None:
        assert self.read(reader, after=0) == (["1", "2", "3"], 3, True)
        assert self.read(reader, after=5) == (["6", "7"], 7, False)
        assert self.read(reader, after=7) == ([], 7, False)

    def test_history_before_a_sequence(self, reader: Visitor) -> None:
        assert self.read(reader, before=5) == (["2", "3", "4"], 7, True)
        assert self.read(reader, before=2) == (["1"], 7, False)

    def test_messages_since_and_around_a_sequence(self, reader: Visitor) -> None:
        assert self.read(reader, since=3, limit=2) == (["3", "4"], 7, True)
        assert self.read(reader, since=6) == (["6", "7"], 7, False)
        assert self.read(reader, since=8) == ([], 7, False)
        assert self.read(reader, around=4) == (["3", "4", "5"], 7, True)
        assert self.read(reader, around=1) == (["1", "2"], 7, False)
        for query, newer in (({"around": 4}, True), ({"around": 7}, None), ({"before": 4}, None)):
            assert reader.get(LOBBY, query_string=query).get_json().get("newer") == newer
        assert reader.get(f"{LOBBY}?around=8").status_code == 404

    def test_messages_by_their_sequences(self, reader: Visitor) -> None:
        assert self.read(reader, sequences="5,2,99,5") == (["2", "5"], 7, False)
        for wrong in ("", "x", "1,", ",1", "1;2", "-1", "1" * 20, ",".join(["1"] * 101)):
            assert reader.get(LOBBY, query_string={"sequences": wrong}).status_code == 400, wrong

    def test_fields_of_a_message(self, alice: Visitor, services: Services) -> None:
        """X06, A01: exactly these fields."""
        post(alice, "*hi*", client_id="a1")
        [message] = alice.get(LOBBY).get_json()["messages"]
        assert set(message) == {"id", "sequence", "revision", "author", "client_id", "text", "sent_at"}
        assert message["author"] == {"id": user_of(services).id, "name": "Alice"}  # and no bot
        assert message["text"] == "*hi*"
        assert message["sent_at"].endswith("Z")
        [message] = alice.get(f"{LOBBY}?format=html").get_json()["messages"]
        assert message["html"].strip() == "<p><em>hi</em></p>"
        assert "text" not in message

    @pytest.mark.parametrize(("limit", "count"), [("0", 1), ("-1", 1), ("1000000000", 7), ("2", 2)])
    def test_limits_are_brought_within_bounds(self, reader: Visitor, limit: str, count: int) -> None:
        """L10."""
        assert len(self.read(reader, limit=limit)[0]) == count

    def test_a_page_is_at_most_a_hundred(self, make_app: MakeApp) -> None:
        """L10."""
        reader = signed_in(make_app(post_limit_account="0", post_limit_address="0"), "alice")
        headers = reader.csrf()
        for number in range(110):
            reader.post(LOBBY, json={"text": str(number)}, headers=headers)
        assert len(self.read(reader, limit=10**9)[0]) == 100

    @pytest.mark.parametrize(
        "query",
        [
            "after=x",
            "after=-1",
            "after=",
            "after=1.5",
            "before=x",
            "before=-1",
            f"after={'9' * 5000}",
            "limit=x",
            "limit=",
            f"limit={'9' * 5000}",
            "after=null",
            "format=xml",
            "after=1&before=2",
            "since=1&around=2",
            "since=-1",
            "around=x",
            "after[$ne]=1&after=x",
            f"before={2**63}",
        ],
    )
    def test_odd_questions_are_refused(self, reader: Visitor, query: str) -> None:
        """L10, I04."""
        response = reader.get(f"{LOBBY}?{query}")
        assert response.status_code == 400
        assert response.get_json()["error"]["reason"] == "invalid"

    def test_a_cursor_from_nowhere(self, reader: Visitor) -> None:
        response = reader.get(f"{LOBBY}?after=1000")
        assert response.status_code == 400
        assert response.get_json()["error"]["reason"] == "unknown_cursor"

    def test_a_polling_reader_is_present(self, alice: Visitor, bob: Visitor) -> None:
        bob.get(f"{LOBBY}?after=0")
        assert 'person__name">Bob</bdi>' in alice.get("/chatroom").text

    def test_callbacks_are_not_called(self, alice: Visitor) -> None:
        """C07: no JSONP."""
        response = alice.get(f"{LOBBY}?j=0&callback=alert")
        assert response.content_type == "application/json"
        assert response.text.startswith('{"room"')


class TestAccess:
    @pytest.mark.parametrize("method", ["GET", "POST"])
    def test_anonymous(self, client: Visitor, method: str) -> None:
        response = client.open(LOBBY, method=method, json={"text": "a"} if method == "POST" else None)
        assert response.status_code == 401
        assert response.get_json() == {"error": {"reason": "unauthorized", "message": "Log in first."}}

    @pytest.mark.parametrize("slug", ["secret", "none", "$ne", "%00", "x" * 1000])
    @pytest.mark.usefixtures("secret_room")
    def test_outsiders(self, mallory: Visitor, slug: str) -> None:
        """W09."""
        path = f"/api/rooms/{slug}/messages"
        answers = [mallory.get(path), mallory.get(f"{path}?after=0"), post(mallory, path=path)]
        assert [answer.status_code for answer in answers] == [404] * 3
        assert {answer.get_json()["error"]["reason"] for answer in answers} == {"not_found"}

    def test_a_cookie_needs_the_csrf_token(self, app: Flask, alice: Visitor, services: Services) -> None:
        """C01."""
        for headers in ({}, {"X-CSRFToken": "forged"}, visitor(app).csrf()):
            response = alice.post(LOBBY, json={"text": "a"}, headers=headers)
            assert response.status_code == 403
            assert response.get_json()["error"]["reason"] == "forbidden"
        assert texts(services) == []

    def test_a_token_does_not(self, client: Visitor, token: dict[str, str]) -> None:
        assert client.post(LOBBY, json={"text": "hello"}, headers=token).status_code == 201
        [message] = client.get(LOBBY, headers=token).get_json()["messages"]
        assert message["author"]["name"] == "Alice"
        assert client.get_cookie("session") is None

    @pytest.mark.parametrize("authorization", OTHER_CREDENTIALS)
    def test_beside_authorization_the_cookie_does_not_count(self, alice: Visitor, authorization: str) -> None:
        """Whatever the scheme. Pages know no tokens, so their visitor stays logged in."""
        headers = {"Authorization": authorization}
        for response in (
            alice.get(LOBBY, headers=headers),
            alice.post(LOBBY, json={"text": "a"}, headers=headers | alice.csrf()),
        ):
            assert response.status_code == 401
            assert response.get_json()["error"]["message"] == "The header Authorization has no valid access token."
        assert alice.get("/chatroom/lobby", headers=headers).status_code == 200

    def test_two_credentials_are_none(self, alice: Visitor, token: dict[str, str]) -> None:
        for both in ([token["Authorization"], "Basic YTpi"], ["Basic YTpi", token["Authorization"]]):
            assert alice.get(LOBBY, headers=[("Authorization", each) for each in both]).status_code == 401

    def test_a_token_is_not_good_for_pages(self, client: Visitor, token: dict[str, str]) -> None:
        assert client.get("/chatroom", headers=token).status_code == 303
        assert client.get("/account", headers=token).status_code == 303

    def test_a_sessions_secret_is_no_token(self, client: Visitor, services: Services, alice: Visitor) -> None:
        secret = services.people.sessions.begin(user_of(services), label="", address="")
        assert client.get(LOBBY, headers={"Authorization": f"Bearer {secret}"}).status_code == 401

    def test_an_ended_token(self, client: Visitor, token: dict[str, str], services: Services) -> None:
        """S04."""
        services.people.sessions.end_all(user_of(services).id)
        assert client.get(LOBBY, headers=token).status_code == 401

    def test_other_methods_and_other_addresses(self, alice: Visitor) -> None:
        """X04: JSON here too."""
        headers = alice.csrf()
        assert alice.delete(LOBBY, headers=headers).get_json()["error"]["message"]
        assert alice.get("/api/nothing").get_json()["error"]["reason"] == "not_found"


def test_services_are_the_applications_own(make_app: MakeApp) -> None:
    one, other = make_app(), make_app()
    signed_in(one, "alice")
    assert services_of(other).database["users"].count_documents({}) == 0
