"""Somebody's page, and what moderators and administrators do there."""

import re

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from chatroom.base.errors import Taken
from chatroom.mongo.database import Database
from chatroom.people.profiles import Profile
from chatroom.people.users_store import UserStore
from chatroom.services import Services
from tests.conftest import visitor
from tests.visitors import Visitor, hidden_fields, problem, user_of


def page_of(services: Services, name: str) -> str:
    return f"/people/{user_of(services, name).id}"


def order(visitor: Visitor, page: str, act: str, **typed: str) -> int:
    return visitor.submit(page, to=f"{page}/{act}", **{"reason": "spam", "duration": "1h", **typed}).status_code


class TestPage:
    def test_members_see_the_profile_without_forms(self, bob: Visitor, services: Services) -> None:
        page = bob.get(page_of(services, "alice")).text
        assert "Alice" in page
        assert "administrator" in page
        assert "Moderation" not in page

    @pytest.mark.parametrize("path", ["/people/nobody", f"/people/{'0' * 24}"])
    def test_nobody(self, alice: Visitor, path: str) -> None:
        assert alice.get(path).status_code == 404

    def test_outsiders_cannot_see_it(self, client: Visitor, alice: Visitor, services: Services) -> None:
        assert client.get(page_of(services, "alice")).location.startswith("/login")


class TestMute:
    def test_the_muted_read_and_do_not_post(self, alice: Visitor, bob: Visitor, services: Services) -> None:
        """M05."""
        page = page_of(services, "bob")
        assert order(alice, page, "mute") == 303
        said = bob.say("hello")
        assert said.status_code == 403
        assert "You are muted here until" in problem(said)
        assert "spam" in problem(said)
        assert 3500 < int(said.headers["Retry-After"]) <= 3600
        assert "hello</textarea>" in said.text
        token = bob.csrf()
        answer = bob.post("/api/rooms/lobby/messages", json={"text": "hello"}, headers=token)
        assert (answer.status_code, answer.json["error"]["reason"]) == (403, "muted")
        assert "Muted in every room until" in alice.get(page).text
        assert order(alice, page, "unmute") == 303
        assert bob.say("hello").status_code == 303

    def test_in_one_room(self, alice: Visitor, bob: Visitor, services: Services) -> None:
        bob.get("/chatroom")
        alice.get("/chatroom")
        page = page_of(services, "bob")
        assert "Mute in Lobby" in alice.get(f"{page}?room=lobby").text
        assert order(alice, page, "mute", room="lobby") == 303
        assert bob.say("hello").status_code == 403
        assert "Muted in Lobby" in alice.get(f"{page}?room=lobby").text
        assert order(alice, page, "unmute", room="lobby") == 303
        assert bob.say("hello").status_code == 303

    @pytest.mark.parametrize("typed", [{"reason": ""}, {"reason": "x" * 301}, {"duration": "for ever"}])
    def test_errors_are_shown_with_the_typed_text(
        self, alice: Visitor, bob: Visitor, services: Services, typed: dict[str, str]
    ) -> None:
        page = page_of(services, "bob")
        response = alice.submit(page, to=f"{page}/mute", **{"reason": "too loud", "duration": "1h", **typed})
        assert response.status_code == 400
        assert problem(response)
        if "duration" in typed:
            assert 'value="too loud"' in response.text
        assert bob.say("hello").status_code == 303

    def test_without_the_token(self, alice: Visitor, bob: Visitor, services: Services) -> None:
        assert alice.post(f"{page_of(services, 'bob')}/ban", data={"reason": "x", "duration": "1h"}).status_code == 400
        assert bob.is_signed_in


class TestBan:
    def test_a_banned_user_is_logged_out_and_sees_the_reason_at_the_log_in(
        self, app: Flask, alice: Visitor, bob: Visitor, services: Services
    ) -> None:
        page = page_of(services, "bob")
        assert order(alice, page, "ban", duration="lifted") == 303
        assert not bob.is_signed_in
        response = visitor(app).log_in("bob")
        assert response.status_code == 403
        assert problem(response) == "You are banned until it is lifted: spam"
        assert "Banned until it is lifted" in alice.get(page).text
        assert order(alice, page, "unban") == 303
        assert visitor(app).log_in("bob").status_code == 303

    def test_a_wrong_password_reveals_nothing(
        self, app: Flask, alice: Visitor, bob: Visitor, services: Services
    ) -> None:
        """M04, A05: neither that there is an account, nor that it is banned."""
        order(alice, page_of(services, "bob"), "ban")
        answers = [visitor(app).log_in(name, "guess") for name in ("bob", "nobody")]
        assert {(answer.status_code, problem(answer)) for answer in answers} == {(401, "Wrong user name or password.")}

    def test_members_and_moderators_may_not_ban_above_them(
        self, alice: Visitor, bob: Visitor, mallory: Visitor, services: Services
    ) -> None:
        user = user_of(services, "bob")
        assert order(mallory, page_of(services, "bob"), "ban") == 403
        services.moderation.moderation.set_role(None, user, "moderator")
        assert order(bob, page_of(services, "alice"), "ban") == 403
        assert order(bob, page_of(services, "mallory"), "ban") == 303
        assert not mallory.is_signed_in


class TestRole:
    def test_administrators_give_roles(self, alice: Visitor, bob: Visitor, services: Services) -> None:
        page = page_of(services, "bob")
        assert alice.submit(page, to=f"{page}/role", role="moderator").status_code == 303
        assert user_of(services, "bob").role == "moderator"
        assert bob.submit(page, to=f"{page}/role", role="administrator").status_code == 403

    def test_the_last_administrator(self, alice: Visitor, services: Services) -> None:
        page = page_of(services, "alice")
        response = alice.submit(page, to=f"{page}/role", role="member", confirmed="member")
        assert response.status_code == 409
        assert "last administrator" in problem(response)

    def test_a_role_is_taken_away_after_a_question(self, alice: Visitor, bob: Visitor, services: Services) -> None:
        page = page_of(services, "bob")
        services.moderation.moderation.set_role(None, user_of(services, "bob"), "administrator")
        asked = alice.submit(page, to=f"{page}/role", role="moderator")
        assert asked.status_code == 409
        assert "Bob</bdi></strong> will no longer be an administrator of this site" in asked.text
        assert "Yes, make them a moderator" in asked.text
        assert user_of(services, "bob").role == "administrator"
        other = alice.submit(page, to=f"{page}/role", role="member", confirmed="moderator")  # not what was asked
        assert (other.status_code, user_of(services, "bob").role) == (409, "administrator")
        confirmed = hidden_fields(asked)["confirmed"]
        assert alice.submit(page, to=f"{page}/role", role="moderator", confirmed=confirmed).status_code == 303
        assert user_of(services, "bob").role == "moderator"
        me = page_of(services, "alice")
        assert "You will no longer be an administrator" in alice.submit(me, to=f"{me}/role", role="member").text

    def test_a_role_that_is_none(self, alice: Visitor, bob: Visitor, services: Services) -> None:
        page = page_of(services, "bob")
        assert alice.submit(page, to=f"{page}/role", role="emperor").status_code == 400


class TestProfile:
    def change(self, visitor: Visitor, **typed: str) -> TestResponse:
        fields = {**dict.fromkeys(Profile.__struct_fields__, ""), "display_name": "Bob", **typed}
        return visitor.submit("/account/profile", **fields)

    def test_others_see_it_as_plain_text(self, alice: Visitor, bob: Visitor, services: Services) -> None:
        response = self.change(bob, about="I <b>bake</b>.\r\nAsk me.", time_zone="Asia/Tokyo")
        assert response.status_code == 303
        page = alice.get(page_of(services, "bob")).text
        assert "I &lt;b&gt;bake&lt;/b&gt;.\nAsk me." in page
        assert re.search(r'<time [^>]* data-zone="Asia/Tokyo" [^>]*>\d\d:\d\d</time> their time', page)
        assert "</time> your time" in bob.get(page_of(services, "bob")).text
        assert '<option selected value="Asia/Tokyo">Tokyo</option>' in bob.get("/account/profile").text

    def test_the_time_zone_is_chosen_from_a_list(self, bob: Visitor, services: Services) -> None:
        bob.set_cookie("time_zone", "Asia/Calcutta")
        page = bob.get("/account/profile").text
        assert '<option selected value="">As in this browser: Asia/Calcutta</option>' in page
        assert '<optgroup label="Europe">' in page
        assert '<option value="Europe/Vienna">Vienna</option>' in page
        assert self.change(bob, time_zone="US/Eastern").status_code == 303, "a name that is not listed"
        assert '<option selected value="US/Eastern">US/Eastern</option>' in bob.get("/account/profile").text
        assert self.change(bob, time_zone="").status_code == 303
        assert user_of(services, "bob").time_zone == ""

    def test_processes_are_notified_of_a_new_name(self, bob: Visitor, services: Services) -> None:
        assert self.change(bob, about="I bake.").status_code == 303
        told = services.database["notices"].find_one({"kind": "user"}) or {}
        assert told["user"] == user_of(services, "bob").id

    def test_a_new_name_applies_to_later_messages(self, bob: Visitor, services: Services) -> None:
        bob.say("before")
        assert self.change(bob, display_name="Robert").status_code == 303
        bob.say("after")
        names = [message.author.name for message in services.messages.store.newest("lobby", 2)]
        assert names == ["Bob", "Robert"]
        (entry,) = services.site.audit.page().entries
        assert (entry.act, entry.subject.name, entry.details) == ("rename", "bob", {"before": "Bob"})
        assert self.change(bob, display_name="Bob").status_code == 303

    @pytest.mark.parametrize("name", ["Alice", "ALICE"])
    def test_a_name_that_is_taken(self, alice: Visitor, bob: Visitor, services: Services, name: str) -> None:
        response = self.change(bob, display_name=name, about="typed")
        assert response.status_code == 409
        assert problem(response) == "User or displayname existed"
        assert "typed</textarea>" in response.text
        assert user_of(services, "bob").display_name == "Bob"

    @pytest.mark.parametrize(
        "typed",
        [
            {"display_name": ""},
            {"display_name": "admin"},
            {"about": "x" * 501},
            {"about": "a\x00b"},
            {"time_zone": "Mars/Olympus"},
            {"time_zone": "../../etc/passwd"},
        ],
    )
    def test_invalid_input(self, bob: Visitor, services: Services, typed: dict[str, str]) -> None:
        response = self.change(bob, **typed)
        assert response.status_code == 400
        assert problem(response)
        user = user_of(services, "bob")
        assert (user.display_name, user.about, user.time_zone) == ("Bob", "", "")

    def test_on_one_s_own_page_only(self, alice: Visitor, bob: Visitor, services: Services) -> None:
        page = page_of(services, "bob")
        assert "Change your profile" in bob.get(page).text
        assert "Change your profile" not in alice.get(page).text


def test_names_that_look_alike_are_refused(database: Database) -> None:
    users = UserStore(database)
    users.add("alice", "Alice", "hash")
    bob = users.add("bob", "Robert", "hash")
    with pytest.raises(Taken):
        users.set_profile(bob, {"display_name": "ALICE"})
    users.set_profile(bob, {"display_name": "Bobby", "about": "hi", "time_zone": "UTC"})
    users.add("carol", "Robert", "hash")
    found = users.find(bob.id)
    assert found
    assert (found.display_name, found.about, found.time_zone) == ("Bobby", "hi", "UTC")
