"""A room's settings, members, links and record, by their pages."""

import re
import time
from unittest.mock import Mock

import pytest
from flask import Flask

from chatroom.base.errors import ChatroomError, Refused, Unavailable
from chatroom.people.accounts import Registration
from chatroom.rooms import members_store
from chatroom.rooms.members_store import MEMBERS_PAGE, MOST_MEMBERS
from chatroom.services import Services
from chatroom.site.audit import CONSOLE, ENTRIES, about_room
from tests.conftest import signed_in, visitor
from tests.databases import record
from tests.visitors import PASSWORD, Visitor, hidden_fields, make_room, press, problem, user_of

NAMED = {"title": "Snug", "topic": "Tea"}
RULES = {"slow_seconds": "0", "retention_days": "0"}
TAKEN = "A public room has this name, or one that looks the same. Please choose another name."
TABS = ("about", "members", "invites", "general", "rules", "record", "danger")


class TestSettings:
    def test_administrators_change_it(self, alice: Visitor) -> None:
        slug = make_room(alice)
        assert alice.submit(f"/rooms/{slug}/general", **NAMED).status_code == 303
        assert "The settings were saved." in alice.get(f"/rooms/{slug}/general").text
        assert alice.submit(f"/rooms/{slug}/rules", **RULES, is_read_only="y").status_code == 303
        assert "The rules were saved." in alice.get(f"/rooms/{slug}/rules").text
        about = alice.get(f"/rooms/{slug}/about").text
        for words in ("Snug", "Tea", "read-only", "Only moderators can post.", "You are an administrator here."):
            assert words in about
        assert "Alice set the topic to “Tea”" in alice.get(f"/chatroom/{slug}").text

    def test_a_member_sees_the_members_without_forms(self, alice: Visitor, bob: Visitor) -> None:
        slug = make_room(alice, kind="public")
        press(bob, f"/rooms/{slug}/join")
        members = bob.get(f"/rooms/{slug}/members").text
        assert "Alice" in members
        assert "Remove" not in members
        page = bob.get(f"/rooms/{slug}/about").text
        assert 'Members <span class="people__count">2</span>' in page
        assert "Leave this room" in page
        assert bob.submit("/rooms", to=f"/rooms/{slug}/general", **NAMED).status_code == 403

    def test_each_member_has_the_tabs_that_open_for_them(
        self, alice: Visitor, bob: Visitor, client: Visitor, services: Services
    ) -> None:
        slug = make_room(alice)
        press(alice, f"/rooms/{slug}/members", username="bob")
        for role, count in (("member", 2), ("moderator", 3), ("administrator", 7)):
            press(alice, f"/rooms/{slug}/roles", **{f"role-{user_of(services, 'bob').id}": role})
            page = bob.get(f"/rooms/{slug}/about").text
            assert re.findall(rf'tabs__link" href="/rooms/{slug}/(\w+)"', page) == list(TABS[:count])
            found = [bob.get(f"/rooms/{slug}/{tab}").status_code for tab in TABS]
            assert found == [200] * count + [403] * (len(TABS) - count)

    def test_the_former_address_leads_to_the_tabs(self, alice: Visitor, bob: Visitor) -> None:
        slug = make_room(alice, kind="public")
        assert alice.get(f"/rooms/{slug}/settings").location == f"/rooms/{slug}/general"
        assert bob.get(f"/rooms/{slug}/settings").location == f"/rooms/{slug}/about"

    def test_members_have_pages(self, alice: Visitor, services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
        slug = make_room(alice, kind="public")
        room = services.rooms.store.find_public(slug)
        assert room is not None
        for number in range(MEMBERS_PAGE + 3):
            name = f"member{number:03}"
            user = services.people.accounts.create(Registration(username=name, display_name=name, password=PASSWORD))
            services.rooms.access.admit(user.id, room)
        path = f"/rooms/{slug}/members"
        for most in (MOST_MEMBERS, 5):  # a small and a large room
            monkeypatch.setattr(members_store, "MOST_MEMBERS", most)
            first = alice.get(path).text
            assert "member000" in first
            assert f"member{MEMBERS_PAGE:03}" not in first
            assert len(first) < 100_000
            [more] = re.findall(r'href="([^"]*)">More members', first)
            assert f"member{MEMBERS_PAGE:03}" in alice.get(more.replace("&amp;", "&")).text
            found = alice.get(f"{path}?q=MEMBER002").text
            assert set(re.findall(r"member\d+(?=</bdi>)", found)) == {"member002"}
            assert "No matching members." in alice.get(f"{path}?q=nobody").text

    def test_a_change_leads_back_to_the_same_members(self, alice: Visitor, bob: Visitor, services: Services) -> None:
        slug = make_room(alice, kind="public")
        press(bob, f"/rooms/{slug}/join")
        shown = alice.get(f"/rooms/{slug}/members?q=bo").text
        [action] = re.findall(r'action="(/rooms/[^"]*/remove[^"]*)"', shown)
        asked = alice.post(action, data={"csrf_token": alice.token()})
        assert f'action="{action}"' in asked.text
        answer = alice.post(action, data=hidden_fields(asked))
        assert (answer.status_code, answer.location) == (303, f"/rooms/{slug}/members?q=bo")

    @pytest.mark.parametrize(
        ("tab", "wrong"),
        [
            ("rules", {"slow_seconds": "x"}),
            ("rules", {"slow_seconds": "-1"}),
            ("rules", {"retention_days": "9999"}),
            ("general", {"title": ""}),
            ("general", {"title": "\u2066"}),
        ],
    )
    def test_an_error_stands_at_its_field_and_the_form_keeps_what_was_typed(
        self, alice: Visitor, tab: str, wrong: dict[str, str]
    ) -> None:
        slug = make_room(alice)
        kept = {"slow_seconds": "77", "retention_days": "88"} if tab == "rules" else {"topic": "Much typed"}
        answer = alice.submit(f"/rooms/{slug}/{tab}", **{**kept, "reason": "So it is", **wrong})
        assert answer.status_code == 400
        assert "Please correct the marked fields." in problem(answer)
        for name in wrong:
            assert f'id="{name}-error"' in answer.text
        for name, typed in {**kept, "reason": "So it is"}.items():
            assert name in wrong or f'value="{typed}"' in answer.text

    def test_a_taken_name_is_an_error_at_the_name(self, alice: Visitor) -> None:
        make_room(alice, "Kitchen", kind="public")
        slug = make_room(alice, kind="public")
        for answer in (
            alice.submit(f"/rooms/{slug}/general", title="Kitchen", topic="Soup"),
            alice.submit("/rooms/new", title="Kitchen", topic="Soup", kind="public"),
        ):
            assert answer.status_code == 409
            assert re.findall(r'id="title-error">(.*?)</p>', answer.text) == [TAKEN]
            assert 'value="Soup"' in answer.text

    def test_it_shows_how_many_messages_it_deletes_first(
        self, alice: Visitor, services: Services, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        slug = make_room(alice)
        monkeypatch.setattr(services.erasure.retention, "count_older", lambda access, days: 1234)
        path = f"/rooms/{slug}/rules"
        answer = alice.submit(path, **{**RULES, "retention_days": "30"})
        assert answer.status_code == 409
        assert "1,234 messages" in answer.text
        assert alice.submit(path, **{**RULES, "retention_days": "30"}, confirmed="y").status_code == 303
        assert "kept 30 days" in alice.get(path).text

    @pytest.mark.parametrize("error", [Refused("forbidden", "Not this room."), Unavailable("The database is away.")])
    def test_a_failed_archiving_shows_the_typed_reason_again(
        self, alice: Visitor, services: Services, monkeypatch: pytest.MonkeyPatch, error: ChatroomError
    ) -> None:
        slug = make_room(alice)
        monkeypatch.setattr(services.rooms.settings, "archive", Mock(side_effect=error))
        answer = alice.submit(f"/rooms/{slug}/danger", to=f"/rooms/{slug}/archive", archived="yes", reason="“Done”")
        assert str(error) in problem(answer)
        assert re.findall(r'name="reason"[^>]* value="(.*?)"', answer.text) == ["“Done”"]
        assert answer.text.count("“Done”") == 1

    def test_an_archived_room_is_read_and_not_written_in(self, alice: Visitor) -> None:
        slug = make_room(alice, kind="public")
        path = f"/chatroom/{slug}"
        alice.say("hello", path)
        assert press(alice, f"/rooms/{slug}/archive", archived="yes") == 303
        page = alice.get(path).text
        assert "hello" in page
        assert "This room is archived" in page
        answer = alice.say("more", path)
        assert answer.status_code == 403
        assert "This room is archived" in problem(answer)
        assert f"/chatroom/{slug}" not in alice.get("/rooms").text
        assert press(alice, f"/rooms/{slug}/archive", archived="no") == 303
        assert alice.say("more", path).status_code == 303

    def test_slow_mode_shows_the_waiting_time(self, alice: Visitor, bob: Visitor) -> None:
        slug = make_room(alice, kind="public")
        alice.submit(f"/rooms/{slug}/rules", **{**RULES, "slow_seconds": "60"})
        path = f"/chatroom/{slug}"
        assert 'data-slow-seconds="60"' in bob.get(path).text
        began = time.monotonic()
        assert bob.say("one", path).status_code == 303
        answer = bob.say("two", path)
        assert answer.status_code == 429
        assert 59 - (time.monotonic() - began) <= int(answer.headers["Retry-After"]) <= 60
        refused = bob.post(f"/api/rooms/{slug}/messages", json={"text": "two"}, headers=bob.csrf())
        assert refused.get_json()["error"]["reason"] == "too_fast"
        assert [alice.say(text, path).status_code for text in ("one", "two")] == [303, 303]


class TestMembers:
    def test_a_member_is_added_given_a_role_and_removed(self, alice: Visitor, bob: Visitor, services: Services) -> None:
        slug = make_room(alice)
        bob_id = user_of(services, "bob").id
        assert press(alice, f"/rooms/{slug}/members", username="BOB") == 303
        assert bob.get(f"/chatroom/{slug}").status_code == 200
        assert press(alice, f"/rooms/{slug}/roles", **{f"role-{bob_id}": "moderator"}) == 303
        assert "Create link" in bob.get(f"/rooms/{slug}/invites").text
        assert press(alice, f"/rooms/{slug}/roles", **{f"role-{bob_id}": "king"}) == 400
        asked = alice.submit("/rooms", to=f"/rooms/{slug}/members/{bob_id}/remove")
        assert asked.status_code == 409
        assert "Remove <bdi>Bob</bdi> from <bdi>" in asked.text
        assert bob.get(f"/chatroom/{slug}").status_code == 200
        confirmed = hidden_fields(asked)["confirmed"]
        assert press(alice, f"/rooms/{slug}/members/{bob_id}/remove", confirmed=confirmed) == 303
        assert "Bob was removed." in alice.get(f"/rooms/{slug}/members").text
        assert bob.get(f"/chatroom/{slug}").status_code == 404

    def test_an_unknown_user_is_not_added(self, alice: Visitor) -> None:
        slug = make_room(alice)
        answer = alice.submit("/rooms", to=f"/rooms/{slug}/members", username="nobody")
        assert answer.status_code == 404
        assert re.findall(r'id="username-error">(.*?)</p>', answer.text) == [
            "There is no user named nobody. Write the user name, such as @ben."
        ]
        assert 'value="nobody"' in answer.text

    @pytest.mark.parametrize("name", ["bo", "@bo", "Bo Olsen", " bo olsen "])
    def test_a_member_is_added_by_either_name(self, app: Flask, alice: Visitor, name: str) -> None:
        bo = visitor(app)
        bo.register("bo", "Bo Olsen")
        slug = make_room(alice)
        assert press(alice, f"/rooms/{slug}/members", username=name) == 303
        assert "Bo Olsen was added." in alice.get(f"/rooms/{slug}/members").text
        assert bo.get(f"/chatroom/{slug}").status_code == 200

    def test_a_part_of_a_name_adds_nobody_and_the_refusal_names_those_who_have_it(
        self, app: Flask, alice: Visitor
    ) -> None:
        for username, name in (("bo", "Bo Olsen"), ("bo2", "Bo Berg"), ("cleo", "Cleo Marsh")):
            visitor(app).register(username, name)
        slug = make_room(alice)
        for typed, said in (
            ("Bo B", "Whom do you mean? Bo Berg (@bo2). Write the user name, such as @bo2."),
            ("olsen", "Whom do you mean? Bo Olsen (@bo). Write the user name, such as @bo."),
            ("cl", "Whom do you mean? Cleo Marsh (@cleo). Write the user name, such as @cleo."),
        ):
            refused = alice.submit("/rooms", to=f"/rooms/{slug}/members", username=typed)
            assert refused.status_code == 404
            assert said in problem(refused)
        assert "Bo" not in alice.get(f"/rooms/{slug}/members").text.split("<main")[1]

    def test_whoever_looks_at_the_members_is_here_now(self, alice: Visitor, bob: Visitor) -> None:
        slug = make_room(alice)
        press(alice, f"/rooms/{slug}/members", username="bob")
        shown = re.findall(
            r"@(\w+)</bdi>.*?person__seen\">([^<]*)<", alice.get(f"/rooms/{slug}/members").text, re.DOTALL
        )
        assert shown == [("alice", "Here now"), ("bob", "Last seen today")]

    def test_who_has_an_account_is_added_on_the_page_to_invite_too(self, alice: Visitor, bob: Visitor) -> None:
        slug = make_room(alice)
        page = alice.get(f"/rooms/{slug}/invites").text
        assert page.index("Add somebody who has an account") < page.index("Invite people with a link")
        assert page.index(f'action="/rooms/{slug}/members"') < page.index(f'action="/rooms/{slug}/invites"')
        assert "Add somebody" not in alice.get("/rooms/lobby/invites").text

    def test_only_changed_roles_are_saved_and_an_error_keeps_the_others(
        self, alice: Visitor, bob: Visitor, mallory: Visitor, services: Services
    ) -> None:
        slug = make_room(alice)
        ids = {name: user_of(services, name).id for name in ("alice", "bob", "mallory")}
        for name in ("bob", "mallory"):
            press(alice, f"/rooms/{slug}/members", username=name)
        page = f"/rooms/{slug}/members"
        shown = hidden_fields(alice.get(page))
        assert {shown[f"was-{ids[name]}"] for name in ("bob", "mallory")} == {"member"}
        press(alice, f"/rooms/{slug}/roles", **{f"role-{ids['bob']}": "moderator"})  # in another tab
        typed = {f"was-{each}": shown[f"was-{each}"] for each in ids.values()}
        typed |= {f"role-{ids['bob']}": "member", f"role-{ids['mallory']}": "moderator"}
        refused = alice.submit(page, to=f"/rooms/{slug}/roles", **typed, **{f"role-{ids['alice']}": "king"})
        assert (refused.status_code, problem(refused)) == (400, "Choose a role.")
        [chosen] = re.findall(rf'id="role-{ids["mallory"]}".*?</select>', refused.text)
        assert "<option selected>moderator</option>" in chosen
        assert press(alice, f"/rooms/{slug}/roles", **typed, **{f"role-{ids['alice']}": "administrator"}) == 303
        roles = {
            name: visitor.get(f"/rooms/{slug}/invites").status_code
            for name, visitor in (("bob", bob), ("mallory", mallory))
        }
        assert roles == {"bob": 200, "mallory": 200}

    def test_a_page_of_members_can_be_saved_at_once(self, alice: Visitor) -> None:
        slug = make_room(alice)
        typed = {f"{kind}-{number:024x}": "member" for number in range(MEMBERS_PAGE) for kind in ("role", "was")}
        assert press(alice, f"/rooms/{slug}/roles", **typed) == 303

    def test_a_role_is_taken_away_after_a_question(self, alice: Visitor, bob: Visitor, services: Services) -> None:
        slug = make_room(alice)
        bob_id = user_of(services, "bob").id
        press(alice, f"/rooms/{slug}/members", username="bob")
        press(alice, f"/rooms/{slug}/roles", **{f"role-{bob_id}": "moderator"})
        typed = {f"was-{bob_id}": "moderator", f"role-{bob_id}": "member"}
        asked = alice.submit("/rooms", to=f"/rooms/{slug}/roles", **typed)
        assert asked.status_code == 409
        assert "Bob</bdi></strong> will no longer be a moderator of this room" in asked.text
        assert bob.get(f"/rooms/{slug}/invites").status_code == 200
        assert press(alice, f"/rooms/{slug}/roles", **typed, confirmed=hidden_fields(asked)["confirmed"]) == 303
        assert bob.get(f"/rooms/{slug}/invites").status_code == 403

    def test_archiving_can_be_undone_at_once(self, alice: Visitor) -> None:
        slug = make_room(alice)
        at = f"/rooms/{slug}/danger"
        done = alice.submit(at, to=f"/rooms/{slug}/archive", archived="yes")
        page = alice.get(str(done.location)).text
        [undo] = re.findall(r'<form class="undo".*?</form>', page, re.DOTALL)
        assert f'action="/rooms/{slug}/archive"' in undo
        assert 'name="archived" value="no"' in undo
        undone = alice.submit(at, to=f"/rooms/{slug}/archive", archived="no")
        assert undone.location == at
        assert 'class="undo"' not in alice.get(f"{at}?undo=1").text, "there is nothing to undo"

    def test_a_room_is_handed_over(self, alice: Visitor, bob: Visitor, mallory: Visitor) -> None:
        slug = make_room(alice)
        path = f"/rooms/{slug}/hand-over"
        for username, status in (("nobody", 404), ("bob", 404), ("alice", 400), ("", 400)):
            answer = alice.submit(f"/rooms/{slug}/danger", to=path, username=username)
            assert answer.status_code == status
            assert 'id="username-error"' in answer.text
        press(alice, f"/rooms/{slug}/members", username="bob")
        asked = alice.submit(f"/rooms/{slug}/danger", to=path, username="Bob")
        assert asked.status_code == 409
        assert "Yes, hand over to <bdi>Bob</bdi>" in asked.text
        assert bob.get(f"/rooms/{slug}/danger").status_code == 403
        confirmed = hidden_fields(asked)["confirmed"]
        press(alice, f"/rooms/{slug}/members", username="mallory")
        other = alice.submit(f"/rooms/{slug}/danger", to=path, username="mallory", confirmed=confirmed)
        assert other.status_code == 409  # the page asks about this member, too
        done = alice.submit(f"/rooms/{slug}/danger", to=path, username="bob", confirmed=confirmed)
        assert done.location == f"/rooms/{slug}/about"
        assert "Bob manages this room now." in alice.get(f"/rooms/{slug}/about").text
        assert bob.get(f"/rooms/{slug}/danger").status_code == 200
        assert alice.get(f"/rooms/{slug}/danger").status_code == 403
        assert press(alice, f"/rooms/{slug}/leave") == 303

    def test_the_only_administrator_reads_beforehand_that_the_room_needs_another(
        self, alice: Visitor, bob: Visitor
    ) -> None:
        slug = make_room(alice)
        leave, words = f'action="/rooms/{slug}/leave"', "You are the only administrator here."
        pages = (f"/chatroom/{slug}", f"/rooms/{slug}/about")
        assert all(leave in alice.get(page).text for page in pages), "alone, she can leave"
        press(alice, f"/rooms/{slug}/members", username="bob")
        for page in pages:
            shown = alice.get(page).text
            assert words in shown
            assert f'href="/rooms/{slug}/danger#heir-title"' in shown
            assert leave not in shown
            assert words not in bob.get(page).text
            assert leave in bob.get(page).text

    def test_a_refusal_to_leave_is_at_the_top(self, alice: Visitor, bob: Visitor) -> None:
        slug = make_room(alice)
        press(alice, f"/rooms/{slug}/members", username="bob")
        refused = alice.submit(f"/rooms/{slug}/about", to=f"/rooms/{slug}/leave").text.split("<main")[1]
        assert refused.index("Nobody else manages this room.") < refused.index('<section class="card"')

    def test_a_member_leaves(self, alice: Visitor, bob: Visitor) -> None:
        slug = make_room(alice)
        press(alice, f"/rooms/{slug}/members", username="bob")
        assert press(alice, f"/rooms/{slug}/leave") == 403
        assert press(bob, f"/rooms/{slug}/leave") == 303
        assert bob.get(f"/chatroom/{slug}").status_code == 404


class TestLinks:
    def link(self, somebody: Visitor, slug: str) -> str:
        page = somebody.submit("/rooms", to=f"/rooms/{slug}/invites", uses="1", hours="24").text
        (link,) = re.findall(r'value="http://localhost(/join/[^"]+)"', page)
        return str(link)

    def test_a_user_logs_in_and_joins(self, app: Flask, alice: Visitor, bob: Visitor, client: Visitor) -> None:
        link = self.link(alice, make_room(alice))
        (log_in,) = re.findall(
            r'class="button[^>]*href="(/login\?next=[^"]*)"', client.get(link).text.split("<main")[1]
        )
        assert client.submit(log_in, username="bob", password=PASSWORD).location == link
        assert "Den" in client.get(link).text
        came = client.submit(link)
        assert client.get(came.location).status_code == 200
        assert "Bob joined" in client.get(came.location).text
        assert signed_in(app, "mallory").get(link).status_code == 404

    def test_a_link_is_listed_and_ended(self, alice: Visitor, bob: Visitor) -> None:
        slug = make_room(alice)
        link = self.link(alice, slug)
        page = alice.get(f"/rooms/{slug}/invites").text
        assert link not in page
        (end,) = re.findall(r'action="(/rooms/[^"]+/end)"', page)
        assert press(alice, end) == 303
        assert press(alice, end) == 404
        assert bob.get(link).status_code == 404

    @pytest.mark.parametrize("typed", [{}, {"uses": "7", "hours": "24"}, {"uses": "x", "hours": "1"}])
    def test_invalid_choices_are_refused(self, alice: Visitor, typed: dict[str, str]) -> None:
        slug = make_room(alice)
        status = press(alice, f"/rooms/{slug}/invites", **typed)
        assert status == (400 if typed else 200)


class TestRecord:
    @pytest.fixture
    def den(self, alice: Visitor, bob: Visitor) -> str:
        """A private room of Bob's; Alice runs the site and is not in it. Its slug."""
        slug = make_room(bob)
        assert bob.submit(f"/rooms/{slug}/general", **NAMED, reason="<b>too long</b>").status_code == 303
        return slug

    def test_administrators_of_the_room_read_it(self, bob: Visitor, den: str) -> None:
        text = bob.get(f"/rooms/{den}/record").text
        for words in (
            "<bdi>Bob</bdi> changed <bdi>this room</bdi>: ",
            "“<bdi>Snug</bdi>”",
            "&lt;b&gt;too long&lt;/b&gt;",
        ):
            assert words in text

    def test_others_may_not(self, alice: Visitor, bob: Visitor, mallory: Visitor, den: str) -> None:
        assert mallory.get(f"/rooms/{den}/record").status_code == 404
        assert alice.get(f"/rooms/{den}/record").status_code == 404
        press(bob, f"/rooms/{den}/members", username="mallory")
        assert mallory.get(f"/rooms/{den}/record").status_code == 403
        assert (
            "<bdi>Bob</bdi> changed <bdi>Den</bdi>: set the name to “<bdi>Snug</bdi>”" in alice.get("/admin/audit").text
        )

    def test_only_of_this_room_and_in_pages(self, bob: Visitor, den: str, services: Services) -> None:
        other = make_room(bob, "Other")
        assert press(bob, f"/rooms/{other}/archive", archived="yes", reason="hushed") == 303
        assert "hushed" in bob.get(f"/rooms/{other}/record").text
        assert "hushed" not in bob.get(f"/rooms/{den}/record").text
        room = services.rooms.store.find_by_slug(den)
        assert room
        for n in range(ENTRIES):
            record(services.database, CONSOLE, "archive_room", about_room(room), f"reason {n:02}")
        first = bob.get(f"/rooms/{den}/record").text
        assert "too long" not in first
        (more,) = re.findall(rf'href="(/rooms/{den}/record\?before=[^"]*)"', first)
        assert "too long" in bob.get(more).text
