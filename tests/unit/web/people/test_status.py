"""The page of the status, its API, and the card of a person."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chatroom.people.fields import FIELDS
from chatroom.services import Services
from tests.conftest import signed_in
from tests.visitors import Visitor, problem, user_of

CLEARED = {"emoji": "", "text": "", "ends": "never", "day": ""}
LUNCH = {"emoji": "🍽️", "text": "At <lunch>", "ends": "1h", "day": ""}


def submit(visitor: Visitor, to: str, **typed: str) -> Any:
    return visitor.submit("/account/status", to=f"/account/{to}", **typed)


class TestStatus:
    def test_others_see_it_everywhere(self, alice: Visitor, bob: Visitor, services: Services) -> None:
        assert submit(bob, "status", **LUNCH).status_code == 303
        bob.get("/chatroom")  # is shown as present for some seconds
        assert services.live.presences.visit("lobby", user_of(services, "bob").person) is None
        for path in (f"/people/{user_of(services, 'bob').id}", "/account/status"):
            page = (alice if "people" in path else bob).get(path).text
            assert "At &lt;lunch&gt;" in page
            assert "until <time" in page

    def test_it_is_beside_the_title_of_a_direct_conversation(
        self, alice: Visitor, bob: Visitor, services: Services
    ) -> None:
        submit(bob, "status", **LUNCH)
        assert alice.is_signed_in
        partner = user_of(services, "bob")
        opened = alice.submit("/people", person=partner.id).location

        def bar(visitor: Visitor, path: str) -> str:
            return visitor.get(path).text.partition('<header class="room-bar">')[2].partition("</header>")[0]

        assert "At &lt;lunch&gt;" in bar(alice, opened)
        assert re.search(r"data-partner-here [^>]* hidden>", bar(alice, opened))
        assert "data-partner" not in bar(alice, "/chatroom")
        assert "At &lt;lunch&gt;" not in bar(bob, opened), "the other person's, not one's own"
        room = services.rooms.access.get_for(partner.id, opened.removeprefix("/chatroom/")).room
        services.live.presences.visit(room.id, partner.person)
        assert not re.search(r"data-partner-here [^>]* hidden>", bar(alice, opened))

    def test_its_end_is_kept_when_the_text_changes(self, bob: Visitor, services: Services) -> None:
        submit(bob, "status", **LUNCH)
        before = user_of(services, "bob").status
        submit(bob, "status", **LUNCH | {"text": "Tea", "ends": "kept"})
        after = user_of(services, "bob").status
        assert before
        assert after
        assert (after.text, after.until) == ("Tea", before.until)

    def test_it_is_cleared(self, bob: Visitor, services: Services) -> None:
        submit(bob, "status", **LUNCH)
        assert submit(bob, "status", **CLEARED).status_code == 303
        assert user_of(services, "bob").status is None
        assert "Your status was cleared." in bob.get("/account/status").text

    @pytest.mark.parametrize(
        ("typed", "said"),
        [
            ({"emoji": "lunch!"}, "Choose one emoji"),
            ({"text": "x" * 81}, "longer than 80"),
            ({"ends": "kept"}, "Not a valid choice"),
            ({"ends": "day", "day": ""}, "Choose the day"),
            ({"ends": "day", "day": "2020-01-01"}, "Choose a day from today on"),
        ],
    )
    def test_a_refusal_keeps_what_was_typed(self, bob: Visitor, typed: dict[str, str], said: str) -> None:
        response = submit(bob, "status", **LUNCH | {"text": "Tea & cake"} | typed)
        assert response.status_code == 400
        assert said in problem(response)
        if "text" not in typed:
            assert 'value="Tea &amp; cake"' in response.text

    def test_a_form_with_a_missing_field_changes_nothing(self, bob: Visitor, services: Services) -> None:
        submit(bob, "status", **LUNCH)
        assert submit(bob, "status", emoji="").status_code == 400
        assert user_of(services, "bob").status

    def test_the_limit_on_posts_counts(self, make_app: Any) -> None:
        alice = signed_in(make_app(post_limit_account="1 per minute"), "alice")
        assert submit(alice, "status", **LUNCH).status_code == 303
        assert submit(alice, "status", **CLEARED).status_code == 429


class TestQuiet:
    def test_do_not_disturb(self, alice: Visitor, bob: Visitor, services: Services) -> None:
        assert submit(bob, "undisturbed", undisturbed="never", last_day="").status_code == 303
        assert "until you change it" in bob.get("/account/status").text
        page = alice.get(f"/people/{user_of(services, 'bob').id}").text
        assert '<p class="person-card__quiet" data-card-quiet>' in page
        assert services.people.statuses.disturbable([user_of(services, "bob").id]) == set()
        submit(bob, "undisturbed", undisturbed="off", last_day="")
        assert user_of(services, "bob").quiet is None

    def test_the_present_state_is_chosen_and_a_save_keeps_it(self, bob: Visitor, services: Services) -> None:
        assert "End now" not in bob.get("/account/status").text
        submit(bob, "undisturbed", undisturbed="1h", last_day="")
        before = user_of(services, "bob").quiet
        page = bob.get("/account/status").text
        assert re.search(r'<option selected value="kept">Until [^<]*, as now</option>', page)
        assert submit(bob, "undisturbed", undisturbed="kept", last_day="").status_code == 303
        assert user_of(services, "bob").quiet == before
        assert re.search(r'name="undisturbed" value="off">End now', page)

    def test_quiet_hours_need_a_time_zone(self, bob: Visitor, services: Services) -> None:
        response = submit(bob, "quiet-hours", start="22:00", end="07:00")
        assert response.status_code == 400
        assert "Choose your time zone" in problem(response)
        assert 'value="22:00"' in response.text
        bob.submit("/account/profile", display_name="Bob", about="", time_zone="Asia/Tokyo")
        assert submit(bob, "quiet-hours", start="22:00", end="07:00").status_code == 303
        quiet = user_of(services, "bob").quiet
        assert quiet
        assert (quiet.start, quiet.end, quiet.time_zone) == ("22:00", "07:00", "Asia/Tokyo")
        assert submit(bob, "quiet-hours", start="", end="").status_code == 303
        assert user_of(services, "bob").quiet is None

    @pytest.mark.parametrize(("to", "typed"), [("undisturbed", {"undisturbed": "2h", "last_day": ""})])
    def test_refusals(self, bob: Visitor, to: str, typed: dict[str, str]) -> None:
        assert submit(bob, to, **typed).status_code == 400


class TestApi:
    def test_a_status_is_set_and_shown_on_the_card(self, alice: Visitor, bob: Visitor, services: Services) -> None:
        body = {"emoji": ":palm_tree:", "text": "On holiday", "ends": "never"}
        answer = bob.put("/api/account/status", json=body, headers=bob.csrf())
        assert answer.json == {"status": {"emoji": "🌴", "text": "On holiday"}}
        card = alice.get(f"/api/people/{user_of(services, 'bob').id}?room=lobby").json
        assert (card["status"], card["username"]) == ({"emoji": "🌴", "text": "On holiday"}, "bob")
        assert "password" not in str(card)
        assert bob.put("/api/account/status", json={}, headers=bob.csrf()).json == {"status": None}

    @pytest.mark.parametrize(
        "body",
        [{"emoji": "lunch!"}, {"text": "x" * 81}, {"ends": "soon"}, {"until": "x"}, {"text": 7}, {"text": "x" * 301}],
    )
    def test_refusals(self, bob: Visitor, body: dict[str, Any]) -> None:
        assert bob.put("/api/account/status", json=body, headers=bob.csrf()).status_code == 400

    def test_a_card_has_only_fields_that_others_may_see(self, alice: Visitor, bob: Visitor, services: Services) -> None:
        card = bob.get(f"/api/people/{user_of(services).id}?room=lobby").json
        assert card["role"] == "administrator"
        stored = {"id": "_id", "name": "display_name", "quiet_until": "quiet"}
        for name in card.keys() - {"room_role", "seen"}:
            assert FIELDS[stored.get(name, name)].shown in {"everywhere", "profile"}

    def test_the_role_in_a_room_is_only_for_its_members(self, alice: Visitor, bob: Visitor, services: Services) -> None:
        slug = alice.submit("/rooms/new", title="Den", topic="", kind="private").location.rsplit("/", 1)[-1]
        path = f"/api/people/{user_of(services).id}?room={slug}"
        assert alice.get(path).json["room_role"] == "administrator"
        assert "room_role" not in bob.get(path).json

    @pytest.mark.parametrize("path", ["nobody", "0" * 24])
    def test_nobody(self, alice: Visitor, path: str) -> None:
        assert alice.get(f"/api/people/{path}").status_code == 404

    def test_too_many_cards(self, alice: Visitor, services: Services) -> None:
        path = f"/api/people/{user_of(services).id}"
        answers = [alice.get(path).status_code for _ in range(61)]
        assert answers == [200] * 60 + [429]


class TestAway:
    def test_members_with_the_latest_first(self, alice: Visitor, bob: Visitor, services: Services) -> None:
        """Bob's session is from now, so he was here today; the users below have never been in a browser."""
        for visitor in (alice, bob):
            visitor.get("/chatroom")
        services.database["presences"].delete_many({})
        carol = services.people.users.add("aaron", "Aaron", "hash")
        services.rooms.access.get_for(carol.id, "lobby")
        answer = alice.get("/api/rooms/lobby/people").json
        said = [(each["person"]["username"], each["seen"]) for each in answer["away"]]
        assert said == [("bob", "today"), ("aaron", "")]
        assert answer["more"] is False

    def test_who_is_in_the_room_is_not_away(self, alice: Visitor, bob: Visitor, services: Services) -> None:
        bob.get("/chatroom")
        services.live.presences.visit(room_id(services), user_of(services, "bob").person)
        bob_id = user_of(services, "bob").id
        answer = alice.get(f"/api/rooms/lobby/people?ids={bob_id},nobody").json
        assert (answer["away"], answer["here"]) == ([], [bob_id])
        assert alice.get(f"/api/people/{bob_id}").json["seen"] == "here"

    def test_who_has_another_room_open_is_on_the_site(self, alice: Visitor, bob: Visitor, services: Services) -> None:
        bob.get("/chatroom")
        services.database["presences"].delete_many({})
        services.live.presences.visit("another room", user_of(services, "bob").person)
        [away] = alice.get("/api/rooms/lobby/people").json["away"]
        assert away["seen"] == "here"

    def test_last_week_and_longer_ago(self, alice: Visitor, bob: Visitor, services: Services) -> None:
        bob.get("/chatroom")
        services.database["presences"].delete_many({})
        bob_id = user_of(services, "bob").id
        for days, seen in ((3, "week"), (8, "")):
            long_ago = datetime.now(UTC) - timedelta(days=days)
            services.database["sessions"].update_many({"user_id": bob_id}, {"$set": {"seen_at": long_ago}})
            [away] = alice.get("/api/rooms/lobby/people").json["away"]
            assert away["seen"] == seen

    def test_the_page_of_the_members_says_it(self, alice: Visitor, bob: Visitor, services: Services) -> None:
        bob.get("/chatroom")
        services.database["presences"].delete_many({})
        submit(bob, "status", **LUNCH)
        page = alice.get("/rooms/lobby/members").text
        assert "At &lt;lunch&gt;" in page
        assert "Last seen today" in page


def room_id(services: Services) -> str:
    room = services.rooms.store.find_by_slug("lobby")
    assert room
    return room.id
