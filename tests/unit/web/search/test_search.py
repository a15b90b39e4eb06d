"""The search page and its JSON: what they show, to whom, and what they refuse."""

from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from flask import Flask

from chatroom.base.errors import Unavailable
from chatroom.base.models import Room
from chatroom.rooms.memberships_store import MembershipStore
from chatroom.rooms.rooms_store import RoomStore
from chatroom.services import Services
from tests.conftest import MakeApp, signed_in
from tests.messaging import append
from tests.people import draft
from tests.visitors import Visitor, problem, user_of

DEN = Room(id="den-id", slug="den", title="The Den", kind="private")


@pytest.fixture
def den(services: Services, alice: Visitor) -> Room:
    """A room that only Alice is in."""
    store = RoomStore(services.database)
    memberships = MembershipStore(services.database)
    store.ensure(DEN)
    user = services.people.users.find_by_username("alice")
    assert user
    memberships.admit(user.id, DEN)
    return DEN


def fill(services: Services, text: str, count: int) -> None:
    append(services, "lobby", [draft(f"c{n}", f"{text} {n}") for n in range(count)])


def found(visitor: Visitor, query: str, **more: str) -> Any:
    response = visitor.get("/api/search", query_string={"q": query, **more})
    assert response.status_code == 200
    return response.json


class TestPage:
    def test_the_form_and_the_search_tips(self, alice: Visitor) -> None:
        page = alice.get("/search")
        assert page.status_code == 200
        assert 'name="q"' in page.text
        assert "from:alice" in page.text

    def test_every_page_has_the_field(self, alice: Visitor, client: Visitor) -> None:
        for path in ("/chatroom", "/account"):
            page = alice.get(path).text
            assert page.count("data-search") == 1
            assert 'action="/search"' in page
        assert "data-search" not in client.get("/login").text

    def test_a_hit_links_to_its_message_and_marks_the_match(self, alice: Visitor) -> None:
        alice.say("first")
        alice.say("Un Café <img src=x onerror=alert(1)> & *more*")
        page = alice.get("/search?q=caf").text
        assert '<a class="hit__when" href="/chatroom/lobby/2">' in page
        assert "Un <mark>Café</mark> &lt;img src=x onerror=alert(1)&gt; &amp; *more*" in page
        assert "<img" not in page
        assert 'value="caf"' in page
        assert "<title>caf – Search" in page

    def test_the_query_is_escaped(self, alice: Visitor) -> None:
        page = alice.get("/search", query_string={"q": '"><script>alert(1)</script>'})
        assert "<script>alert" not in page.text

    def test_older_results_by_a_link(self, alice: Visitor, services: Services) -> None:
        alice.get("/chatroom")  # and so she is a member
        fill(services, "train", 21)
        page = alice.get("/search?q=train")
        assert "20 messages, and there may be more" in page.text
        link = page.text.split("Older results")[0].rpartition('href="')[2].partition('"')[0].replace("&amp;", "&")
        assert link.startswith("/search?q=train&before=")
        older = alice.get(link)
        assert "<mark>train</mark> 0" in older.text
        assert "Older results" not in older.text

    def test_without_results_there_is_advice(self, alice: Visitor) -> None:
        page = alice.get("/search?q=nothing")
        assert page.status_code == 200
        assert "No results" in page.text

    def test_people_by_any_part_of_their_name(self, alice: Visitor, bob: Visitor, services: Services) -> None:
        for visitor, name, display_name in ((alice, "alice", "José Núñez Weaver"), (bob, "bob", "Weaverly O’Neil")):
            visitor.say(f"hello from {name}")
            user = services.people.users.find_by_username(name)
            assert user
            services.people.users.set_profile(user, {"display_name": display_name})
        for query, names in {
            "alice": ["alice"],
            "José": ["alice"],
            "jose": ["alice"],
            "NUNEZ": ["alice"],
            '"josé nuñez"': ["alice"],
            "weaver": ["alice"],
            "weav": ["bob", "alice"],
            "oneil": ["bob"],
            "@bob": ["bob"],
        }.items():
            hits = found(alice, f"from:{query}")["hits"]
            assert [hit["message"]["text"] for hit in hits] == [f"hello from {name}" for name in names], query
        response = alice.get("/search?q=from:eaver")
        assert "There is no user named “eaver”" in problem(response)

    def test_it_says_what_it_ignored(self, alice: Visitor) -> None:
        alice.say("the train")
        page = alice.get("/search", query_string={"q": "train! <-"}).text
        assert 'Not searched for: <code dir="auto">!</code>.' in page
        page = alice.get("/search", query_string={"q": "train ?! (the)"}).text
        assert "<mark>the</mark> <mark>train</mark>" in page
        codes = [f'<code dir="auto">{mark}</code>' for mark in ("?!", "(", ")")]
        assert f"Not searched for: {', '.join(codes)}. " in page
        assert found(alice, "train ?! (the)")["ignored"] == ["?!", "(", ")"]
        assert "Not searched for" not in alice.get("/search?q=train").text

    @pytest.mark.parametrize(
        ("query", "said"),
        [
            ("...", "The search cannot find ... alone. Enter a word, a number, an emoji, or a sign such as"),
            ("before:soon", "is not a date. Put a day after “before:”, such as 2026-01-31, yesterday, last-week"),
            ("from:nobody-here", "There is no user named “nobody-here”."),
            ("in:nowhere", "You have no room named “nowhere”."),
            ("has:fun", "Put file or link"),
            ("x" * 201, "at most 200 characters"),
        ],
    )
    def test_errors_are_shown_and_the_typed_text_is_kept(self, alice: Visitor, query: str, said: str) -> None:
        response = alice.get("/search", query_string={"q": query})
        assert response.status_code == 400
        assert said in problem(response)
        assert f'value="{query}' in response.text

    def test_the_fields_of_the_form_make_a_query(self, alice: Visitor) -> None:
        alice.get("/chatroom")
        given = {"q": "ladder has:link", "person": 'Dan "Frey"', "room": "Lobby", "when": "last-week"}
        response = alice.get("/search", query_string=given)
        assert response.status_code == 303
        asked = dict(parse_qsl(urlsplit(response.location).query))
        assert asked == {"q": 'ladder has:link from:"Dan Frey" in:Lobby after:last-week'}
        page = alice.get("/search", query_string={"q": "ladder in:lobby after:last week"}).text
        assert 'name="q" value="ladder"' in page
        assert 'name="room" value="lobby"' in page
        assert '<option value="last-week" selected>' in page
        assert '<option value="Lobby">' in page

    def test_a_display_name_with_a_space(self, alice: Visitor, bob: Visitor, services: Services) -> None:
        services.people.users.set_profile(user_of(services, "bob"), {"display_name": "Dan Frey"})
        bob.say("the printer is out of toner")
        alice.say("which printer?")
        for query in ("printer from:Dan Frey", 'from:"dan frey" printer', "from:Dan printer"):
            hits = found(alice, query)["hits"]
            assert [hit["message"]["text"] for hit in hits] == ["the printer is out of toner"], query
        page = alice.get("/search?q=printer+from:Dan+Frey").text
        assert 'name="person" value="Dan Frey"' in page

    def test_an_unknown_name_proposes_people(self, alice: Visitor, bob: Visitor, services: Services) -> None:
        services.people.users.set_profile(user_of(services, "bob"), {"display_name": "Dan <Frey>"})
        for name in ('"Dan Fray"', "danny"):
            response = alice.get("/search", query_string={"q": f"printer from:{name} in:lobby"})
            assert response.status_code == 400
            assert 'href="/search?q=printer+from:bob+in:lobby"><bdi>Dan &lt;Frey&gt;</bdi>' in response.text
        assert "Did you mean" not in alice.get("/search?q=from:nobody-here").text
        assert "Did you mean" not in alice.get("/search?q=from:danny+before:soon").text

    @pytest.mark.parametrize("before", ["x", "$gt", "1" * 25, "../../etc"])
    def test_a_place_that_is_none(self, alice: Visitor, before: str) -> None:
        assert alice.get("/search", query_string={"q": "x", "before": before}).status_code == 400

    def test_too_many_searches(self, make_app: MakeApp) -> None:
        app = make_app(search_limit_account="1 per hour")
        somebody = signed_in(app, "alice")
        assert somebody.get("/search?q=x").status_code == 200
        response = somebody.get("/search?q=x")
        assert response.status_code == 429
        assert "searching too fast" in problem(response)
        assert int(response.headers["Retry-After"]) > 3000
        assert somebody.get("/api/search?q=x").json["error"]["reason"] == "too_fast"

    def test_a_database_outage(self, alice: Visitor, services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
        def away(*_: object, **__: object) -> None:
            raise Unavailable("The database does not answer right now.")

        monkeypatch.setattr(services.search.search, "find", away)
        assert alice.get("/search?q=x").status_code == 503


class TestProgram:
    def test_a_hit_and_the_next_page(self, alice: Visitor, services: Services) -> None:
        alice.get("/chatroom")  # and so she is a member
        fill(services, "the train", 21)
        answer = found(alice, "train")
        assert len(answer["hits"]) == 20
        assert answer["cut"] is False
        first = answer["hits"][0]
        assert (first["room"], first["title"], first["url"]) == ("lobby", "Lobby", "/chatroom/lobby/21")
        assert first["snippet"] == [
            {"text": "the ", "hit": False},
            {"text": "train", "hit": True},
            {"text": " 20", "hit": False},
        ]
        assert first["message"]["text"] == "the train 20"
        rest = found(alice, "train", before=answer["before"])
        assert [hit["message"]["text"] for hit in rest["hits"]] == ["the train 0"]
        assert rest["before"] is None

    @pytest.mark.parametrize(
        "address", ["/api/search", "/api/search?q=", "/api/search?q=%20", "/api/search?q=before:x"]
    )
    def test_refusals(self, alice: Visitor, address: str) -> None:
        response = alice.get(address)
        assert response.status_code == 400
        assert response.json["error"]["reason"] in {"invalid", "empty"}

    def test_a_token_for_some_rooms_is_not_good_for_all_of_them(self, services: Services, alice: Visitor) -> None:
        user = services.people.users.find_by_username("alice")
        assert user
        secret = services.people.sessions.create_token(user, label="bot", scopes=("read",), rooms=("lobby",))
        headers = {"Authorization": f"Bearer {secret}"}
        assert alice.get("/api/search?q=train", headers=headers).status_code == 403

    def test_anonymous(self, client: Visitor) -> None:
        assert client.get("/api/search?q=x").status_code == 401
        assert client.get("/search?q=x").status_code == 303


class TestOutsiders:
    def test_find_nothing_and_learn_nothing(self, app: Flask, alice: Visitor, mallory: Visitor, den: Room) -> None:
        alice.say("the secret word is swordfish", path="/chatroom/den")
        assert len(found(alice, "swordfish")["hits"]) == 1
        for query in ("swordfish", "sw", "from:alice", '"secret word"', "has:link", "after:2020-01-01"):
            answer = found(mallory, query)
            assert answer == {"hits": [], "before": None, "cut": False, "behind": False, "ignored": []}, query
        page = mallory.get("/search?q=swordfish")
        assert "No results" in page.text
        assert "The Den" not in page.text
        hidden = mallory.get("/search?q=in:den").text.replace("den", "?")
        none = mallory.get("/search?q=in:fen").text.replace("fen", "?")
        assert problem_of(hidden) == problem_of(none)

    @pytest.mark.parametrize(
        "query", ["$where:1", '{"$ne": null}', "[$gt]", ".*", "(.*)*", "^s", "swordfish$", "s%00", "\u0000", "*", "%"]
    )
    def test_operators_and_patterns_match_nothing(self, alice: Visitor, query: str) -> None:
        alice.say("swordfish", path="/chatroom")
        response = alice.get("/api/search", query_string={"q": query})
        assert response.status_code in {200, 400}
        assert all(
            any(piece["hit"] for piece in hit["snippet"])
            for hit in (response.json["hits"] if response.status_code == 200 else [])
        )

    def test_parameters_given_twice_or_as_objects(self, alice: Visitor) -> None:
        alice.say("swordfish")
        assert alice.get("/api/search?q[$ne]=x").status_code == 400
        assert alice.get("/search?q[$ne]=x").status_code == 200
        assert "hit__when" not in alice.get("/search?q[$ne]=x").text


def problem_of(page: str) -> str:
    return page.split('id="search-problem"')[1].split("</p>", maxsplit=1)[0]
