"""Access tokens, on their owner's page and in use."""

import re
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from chatroom.services import Services
from tests.conftest import Clock
from tests.visitors import LOBBY, PASSWORD, Visitor, problem, texts, user_of

PAGE = "/account/tokens"


def make(person: Visitor, **typed: Any) -> TestResponse:
    fields = {"label": "the weather bot", "scopes": ["read", "post"], "rooms": "", "days": "30", "password": PASSWORD}
    return person.submit(PAGE, **{**fields, **typed})


def secret_in(response: TestResponse) -> str:
    found = re.search(r"<code>(chatroom_[\w-]+)</code>", response.text)
    assert found
    return found[1]


def bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


class TestPage:
    def test_a_token_is_shown_once(self, alice: Visitor, client: Visitor, services: Services) -> None:
        response = make(alice)
        assert response.status_code == 201
        assert 'name="label" required type="text" value=""' in response.text, "the form is for the next one"
        secret = secret_in(response)
        assert client.get(LOBBY, headers=bearer(secret)).status_code == 200
        page = alice.get(PAGE).text
        assert secret not in page
        assert "the weather bot" in page
        assert "the weather bot" not in alice.get("/account").text
        [token] = [each for each in services.people.sessions.list_for(user_of(services)) if each.kind == "token"]
        assert (token.scopes, token.rooms, (token.expires_at - token.created_at).days) == (("post", "read"), (), 30)
        assert secret not in repr(list(services.database["sessions"].find()))

    def test_it_is_ended(self, alice: Visitor, client: Visitor) -> None:
        secret = secret_in(make(alice))
        [path] = re.findall(r'action="(/account/tokens/\w+/end)"', alice.get(PAGE).text)
        assert alice.submit(PAGE, to=path).status_code == 303
        assert client.get(LOBBY, headers=bearer(secret)).status_code == 401
        assert "None yet." in alice.get(PAGE).text
        assert alice.submit(PAGE, to=path).status_code == 404

    def test_nobody_ends_the_token_of_another_user(self, alice: Visitor, bob: Visitor, client: Visitor) -> None:
        secret = secret_in(make(alice))
        [path] = re.findall(r'action="(/account/tokens/\w+/end)"', alice.get(PAGE).text)
        assert bob.submit(PAGE, to=path).status_code == 404
        assert client.get(LOBBY, headers=bearer(secret)).status_code == 200

    def test_a_browser_s_session_is_not_ended_here(self, alice: Visitor, services: Services) -> None:
        [session] = services.people.sessions.list_for(user_of(services))
        assert alice.submit(PAGE, to=f"{PAGE}/{session.id}/end").status_code == 404
        assert alice.is_signed_in

    @pytest.mark.parametrize(
        ("typed", "said"),
        [
            ({"password": "a wrong one"}, "This is not your password."),
            ({"password": ""}, "This is not your password."),
            ({"label": " "}, "Please enter a label."),
            ({"label": "x" * 201}, "longer than 200"),
            ({"scopes": []}, "Choose at least one"),
            ({"scopes": ["everything"]}, "not a valid choice"),
            ({"days": "36500"}, "Not a valid choice"),
            ({"rooms": "lobby nowhere"}, "You are not a member of a room with the address nowhere."),
            ({"rooms": "lobby " * 21}, "Name at most 20 rooms"),
            ({"csrf_token": "forged"}, "has expired"),
        ],
        ids=str,
    )
    def test_refusals(self, alice: Visitor, services: Services, typed: dict[str, Any], said: str) -> None:
        response = make(alice, **typed)
        assert response.status_code == 400
        assert said in problem(response)
        assert "chatroom_" not in response.text.replace("chatroom_…", "")
        assert [each.kind for each in services.people.sessions.list_for(user_of(services))] == ["browser"]

    @pytest.mark.usefixtures("secret_room")
    def test_a_room_of_others_is_none(self, mallory: Visitor) -> None:
        """W09: it is not told apart from a room that does not exist."""
        said = [problem(make(mallory, rooms=slug)) for slug in ("secret", "absent")]
        assert said[0].replace("secret", "absent") == said[1]

    def test_the_typed_text_is_kept_except_the_password(self, alice: Visitor) -> None:
        page = make(alice, password="a wrong one", rooms="lobby").text
        assert 'value="the weather bot"' in page
        assert 'value="lobby"' in page
        assert "a wrong one" not in page

    def test_fifty_are_enough(self, alice: Visitor, services: Services) -> None:
        for number in range(50):
            services.people.sessions.create_token(user_of(services), label=str(number))
        assert "You have 50 access tokens" in problem(make(alice))


class TestUse:
    """P01."""

    @pytest.mark.parametrize(
        ("scopes", "reads", "posts"), [(["read"], 200, 403), (["post"], 403, 201), (["moderate"], 403, 403)], ids=str
    )
    def test_scopes(self, client: Visitor, alice: Visitor, scopes: list[str], reads: int, posts: int) -> None:
        headers = bearer(secret_in(make(alice, scopes=scopes)))
        assert client.get(LOBBY, headers=headers).status_code == reads
        response = client.post(LOBBY, json={"text": "hello"}, headers=headers)
        assert response.status_code == posts
        if posts == 403:
            assert response.get_json()["error"]["reason"] == "out_of_scope"

    def test_rooms(self, client: Visitor, alice: Visitor, services: Services) -> None:
        token = services.people.sessions.create_token(user_of(services), label="bot", rooms=["den"])
        response = client.get(LOBBY, headers=bearer(token))
        assert (response.status_code, response.get_json()["error"]["reason"]) == (403, "out_of_scope")

    def test_a_route_without_a_scope_refuses_tokens(self, app: Flask, client: Visitor, alice: Visitor) -> None:
        headers = bearer(secret_in(make(alice)))
        assert client.get("/api/openapi.json", headers=headers).status_code == 200  # open to all
        view = app.view_functions["api.list_messages"]
        app.view_functions["api.list_messages"] = lambda slug: view(slug)
        assert client.get(LOBBY, headers=headers).status_code == 403

    def test_a_token_of_before_there_were_scopes_may_all(
        self, client: Visitor, alice: Visitor, services: Services, clock: Clock
    ) -> None:
        secret = secret_in(make(alice, scopes=["read"]))
        services.database["sessions"].update_many({"kind": "token"}, {"$unset": {"scopes": "", "rooms": ""}})
        assert client.post(LOBBY, json={"text": "hello"}, headers=bearer(secret)).status_code == 201


class TestBots:
    def test_messages_of_bots_are_marked(self, client: Visitor, alice: Visitor, services: Services) -> None:
        bot = services.people.accounts.create_bot("weather", "Weather")
        token = services.people.sessions.create_token(bot, label="weather")
        client.post(LOBBY, json={"text": "Rain"}, headers=bearer(token))
        [message] = alice.get(LOBBY).get_json()["messages"]
        assert message["author"] == {"id": bot.id, "name": "Weather", "is_bot": True}
        assert "data-bot>bot</span>" in alice.get("/chatroom").text
        assert texts(services) == ["Rain"]

    def test_people_are_not(self, alice: Visitor) -> None:
        alice.say("hello")
        assert "data-bot>bot<" not in alice.get("/chatroom").text
