"""The administration's pages: what they show and do, and to whom they do not exist."""

import re
from unittest.mock import Mock

import pytest
from flask import Flask

from chatroom.base.durations import FOREVER
from chatroom.base.errors import Unavailable
from chatroom.base.models import Author
from chatroom.moderation import figures_store
from chatroom.moderation.admission import Admission
from chatroom.moderation.figures_store import PAGE
from chatroom.services import Services
from chatroom.site.audit import CONSOLE, about_user
from chatroom.site.audit_store import Subject
from chatroom.site.settings_store import KEPT_SECONDS, Site
from tests.conftest import Clock, visitor
from tests.databases import record
from tests.visitors import Visitor, make_room, press, problem, user_of


class TestAudit:
    def test_it_shows_actors_and_acts(self, alice: Visitor, bob: Visitor, services: Services) -> None:
        bob = about_user(user_of(services, "bob"))
        record(services.database, CONSOLE, "ban", bob, "<b>spam</b>", details={"until": "until it is lifted"})
        page = alice.get("/admin/audit").text
        assert "<bdi>Somebody at the console</bdi> banned <bdi>@bob</bdi> <bdi>until it is lifted</bdi>" in page
        assert "&lt;b&gt;spam&lt;/b&gt;" in page

    def test_what_people_typed_is_escaped_in_a_sentence(self, alice: Visitor, services: Services) -> None:
        room = Subject("room", "r", "<i>{who}</i>")
        details = {"title": "<b>x</b>", "until": "until 3 May 2026, 10:00 UTC"}
        record(services.database, Author("m", "<u>M</u>"), "change_room", room, details=details)
        record(services.database, CONSOLE, "ban", room, details=details)
        page = alice.get("/admin/audit").text
        assert "<bdi>&lt;u&gt;M&lt;/u&gt;</bdi> changed <bdi>&lt;i&gt;{who}&lt;/i&gt;</bdi>: set the name to" in page
        assert "“<bdi>&lt;b&gt;x&lt;/b&gt;</bdi>”" in page
        assert '<bdi>until <time datetime="2026-05-03T10:00:00Z"' in page

    def test_filters(self, alice: Visitor, bob: Visitor, services: Services) -> None:
        record(services.database, CONSOLE, "ban", about_user(user_of(services, "bob")), "it was Bob")
        assert "it was Bob" in alice.get("/admin/audit?about=BOB&act=ban").text
        assert "it was Bob" in alice.get("/admin/audit?about=@bob&act=ban").text
        for query in ("about=alice", "about=nobody", "act=mute", "about[$ne]=x&act=x"):
            assert "it was Bob" not in alice.get(f"/admin/audit?{query}").text

    def test_older_entries(self, alice: Visitor, services: Services) -> None:
        for n in range(60):
            record(services.database, CONSOLE, "mute", about_user(user_of(services, "alice")), f"reason {n:02}")
        assert "reason 05" not in alice.get("/admin/audit").text
        before = services.site.audit.page().before
        assert "reason 05" in alice.get(f"/admin/audit?before={before}").text
        assert alice.get("/admin/audit?before=nonsense").status_code == 200


class TestOverview:
    def test_the_site_in_numbers(self, alice: Visitor, bob: Visitor) -> None:
        alice.say("hello")
        page = alice.get("/admin").text
        for fact in ("<dt>People</dt><dd>2</dd>", "<dt>Messages</dt><dd>1</dd>", "<dt>Here now</dt>", "Python 3."):
            assert fact in page

    def test_o02_a_warning_about_the_database(
        self, alice: Visitor, services: Services, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """O02."""
        assert "out of support" not in alice.get("/admin").text
        monkeypatch.setattr(services.database, "complaint", lambda: "MongoDB 6.0.5 is out of support.")
        assert "MongoDB 6.0.5 is out of support." in alice.get("/admin").text

    def test_it_is_on_the_account_page_of_administrators(self, alice: Visitor, bob: Visitor) -> None:
        assert 'href="/admin"' in alice.get("/account").text
        assert 'href="/admin"' not in bob.get("/account").text

    def test_it_counts_what_people_wrote(
        self, alice: Visitor, services: Services, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        slug = make_room(alice)
        press(alice, f"/rooms/{slug}/general", title="Den", topic="Tea")  # an event line

        def shown() -> str:
            [count] = re.findall(r"<dt>Messages</dt><dd>([^<]*)<", alice.get("/admin").text)
            return str(count)

        assert shown() == "0"
        assert alice.say("hi", f"/chatroom/{slug}").status_code == 303
        assert shown() == "1"
        monkeypatch.setattr(figures_store, "MOST_COUNTED", 1)
        assert shown() == str(services.database["messages"].count_documents({}))


class TestPeople:
    def test_by_the_beginning_of_either_name(self, alice: Visitor, client: Visitor) -> None:
        client.register("zed", "Alison")
        assert names(alice, "") == ["Alice", "Alison"]
        assert names(alice, "ALI") == ["Alice", "Alison"]
        assert names(alice, "ze") == ["Alison"]
        assert names(alice, ".*") == []

    def test_in_pages(self, alice: Visitor, services: Services) -> None:
        for n in range(60):
            services.people.users.add(f"user{n:02}", f"User {n:02}", "hash")
        first = alice.get("/admin/people").text
        assert "user48" in first
        assert "user49" not in first
        assert "after=user48" in first
        assert names(alice, "&after=user48") == [f"User {n}" for n in range(49, 60)]

    def test_states_of_a_user_are_shown(self, alice: Visitor, bob: Visitor, services: Services) -> None:
        services.moderation.moderation.ban(None, user_of(services, "bob"), FOREVER, "spam")
        assert ">banned<" in alice.get("/admin/people").text

    def test_ending_their_sessions(self, alice: Visitor, bob: Visitor, services: Services) -> None:
        page = f"/people/{user_of(services, 'bob').id}"
        assert alice.submit(page, to=f"{page}/end_sessions").status_code == 303
        assert not bob.is_signed_in


def names(alice: Visitor, query: str) -> list[str]:
    return re.findall(r'<a href="/people/[^"]*"><bdi>(.*?)</bdi>', alice.get(f"/admin/people?q={query}").text)


class TestJoining:
    def test_registration_is_switched_while_the_site_runs(self, app: Flask, alice: Visitor, services: Services) -> None:
        def set_registration(mode: str) -> int:
            return alice.submit("/admin/joining", to="/admin/registration", registration=mode).status_code

        assert set_registration("closed") == 303
        assert visitor(app).get("/register").status_code == 403
        assert "Register" not in visitor(app).get("/login").text
        assert set_registration("invite") == 303
        assert "Invite code" in visitor(app).get("/register").text
        assert visitor(app).register("carol").status_code == 403
        assert set_registration("") == 303
        assert visitor(app).register("carol").status_code == 303
        assert set_registration("wide open") == 400
        acts = [entry.details["registration"] for entry in services.site.audit.page(act="set_registration").entries]
        assert acts == ["as set up", "invite", "closed"]

    def test_other_processes_hear_of_it(self, alice: Visitor, services: Services, clock: Clock) -> None:
        site = Site(services.database, seconds=clock.seconds)
        elsewhere = Admission(site, services.people.invites, services.site.acts, "open")
        assert elsewhere.registration() == "open"
        services.moderation.admission.set_registration(None, "closed")
        clock.advance(seconds=KEPT_SECONDS)
        assert elsewhere.registration() == "closed"

    def test_a_page_shows_the_last_known_mode_and_waits_once_while_the_database_is_away(
        self, alice: Visitor, services: Services, clock: Clock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        site = Site(services.database, seconds=clock.seconds)
        elsewhere = Admission(site, services.people.invites, services.site.acts, "open")
        services.moderation.admission.set_registration(None, "closed")
        assert elsewhere.shown_registration() == "closed"
        away = Mock(side_effect=Unavailable("The database does not answer."))
        monkeypatch.setattr(site, "renew", away)
        for waits in (1, 2):
            clock.advance(seconds=KEPT_SECONDS)
            assert [elsewhere.shown_registration() for _ in range(3)] == ["closed"] * 3
            assert away.call_count == waits
        with pytest.raises(Unavailable):
            elsewhere.registration()

    def test_the_choice_of_the_server_is_named(self, alice: Visitor) -> None:
        page = alice.get("/admin/joining").text
        assert "Everybody (server default)" in page
        assert "What you choose here replaces the server’s default." in page

    def test_invites(self, app: Flask, alice: Visitor, services: Services) -> None:
        services.moderation.admission.set_registration(None, "invite")
        response = alice.submit("/admin/joining", to="/admin/invites", uses="2", days="7")
        assert response.status_code == 201
        (code,) = re.findall(r'id="code" value="([^"]+)" readonly', response.text)
        assert code not in alice.get("/admin/joining").text
        assert "2 people can still register" in alice.get("/admin/joining").text
        assert visitor(app).register("carol", invite=code).status_code == 303
        (invite,) = services.moderation.admission.list_invites()
        assert (invite.uses_left, invite.about["made_by"]) == (1, "Alice")
        assert alice.submit("/admin/joining", to=f"/admin/invites/{invite.id}/revoke").status_code == 303
        assert visitor(app).register("dave", invite=code).status_code == 403
        assert [entry.act for entry in services.site.audit.page().entries][:2] == ["revoke_invite", "make_invite"]

    @pytest.mark.parametrize("typed", [{"uses": "0"}, {"days": "9999"}, {"uses": "many"}, {"uses": "10001"}])
    def test_invites_that_may_not_be(self, alice: Visitor, services: Services, typed: dict[str, str]) -> None:
        response = alice.submit("/admin/joining", to="/admin/invites", **{"uses": "1", "days": "7", **typed})
        assert response.status_code == 400
        assert "1 to 10,000 people" in problem(response)
        assert services.moderation.admission.list_invites() == []


class TestRooms:
    @pytest.fixture
    def den(self, alice: Visitor, bob: Visitor, services: Services) -> str:
        """A private room of Bob's, with a secret in it; Alice runs the site and is not in it. Its slug."""
        by = user_of(services, "bob")
        room = services.rooms.making.create(
            Author(by.id, by.display_name), "member", title="Bob's <den>", is_private=True
        )
        assert bob.submit(f"/chatroom/{room.slug}", text="a secret", client_id="c1").status_code == 303
        return room.slug

    def test_counts_but_no_messages(self, alice: Visitor, den: str) -> None:
        listed, page = alice.get("/admin/rooms").text, alice.get(f"/admin/rooms/{den}").text
        for text in (listed, page):
            assert "Bob&#39;s &lt;den&gt;" in text
            assert "secret" not in text
        assert "1 member · 1 message" in listed
        assert "<dt>Messages</dt><dd>1</dd>" in page
        assert "Only its members can read" in page
        assert f'href="/chatroom/{den}"' not in page
        assert alice.get(f"/chatroom/{den}").status_code == 404

    def test_by_their_beginning(self, alice: Visitor, den: str) -> None:
        assert "Lobby" not in alice.get("/admin/rooms?q=BOB").text
        assert "No matching rooms" in alice.get("/admin/rooms?q=.*").text

    def test_in_pages(self, alice: Visitor, services: Services) -> None:
        author = Author(user_of(services, "alice").id, "Alice")
        for n in range(PAGE):
            services.rooms.making.create(author, "administrator", title=f"Room {n:02}")
        first = alice.get("/admin/rooms").text
        assert f"Room {PAGE - 1}" not in first
        (more,) = re.findall(r'href="(/admin/rooms\?[^"]*after[^"]*)"', first)
        assert titles(alice.get(more.replace("&amp;", "&")).text) == [f"Room {PAGE - 1}"]

    def test_archived_and_opened_again(self, alice: Visitor, bob: Visitor, den: str) -> None:
        page = f"/admin/rooms/{den}"
        assert alice.submit(page, to=f"{page}/archive", archived="yes", reason="over").status_code == 303
        assert bob.submit(f"/chatroom/{den}", text="still here?", client_id="c2").status_code == 403
        text = alice.get(page).text
        for words in ("Reopen the room", "<bdi>Alice</bdi> archived <bdi>this room</bdi>", ">over<"):
            assert words in text
        assert alice.submit(page, to=f"{page}/archive", archived="no", reason="not over").status_code == 303
        assert bob.submit(f"/chatroom/{den}", text="still here", client_id="c3").status_code == 303

    @pytest.mark.parametrize(("typed", "status"), [("", 400), ("x" * 301, 400)])
    def test_a_reason_is_needed(self, alice: Visitor, den: str, typed: str, status: int) -> None:
        page = f"/admin/rooms/{den}"
        response = alice.submit(page, to=f"{page}/archive", archived="yes", reason=typed)
        assert response.status_code == status
        assert "reason" in problem(response) or "Give a reason" in problem(response)

    def test_administrators_of_a_room(self, alice: Visitor, bob: Visitor, den: str, services: Services) -> None:
        page = f"/admin/rooms/{den}"

        def appoint(name: str) -> tuple[int, str]:
            fields = alice.fields("/admin/rooms/lobby") | {"username": name, "reason": "Bob lost it"}
            response = alice.post(f"{page}/appoint", data=fields)
            return response.status_code, problem(response) if response.status_code != 303 else ""

        assert "Appoint an administrator" not in alice.get(page).text
        assert appoint("bob") == (403, "This room has an administrator, who can appoint others in its list of members.")
        services.database["memberships"].update_many({}, {"$unset": {"role": ""}})
        assert "no administrator" in alice.get("/admin/rooms").text
        assert appoint("nobody") == (404, "There is no user named nobody. Write the user name, such as @ben.")
        assert appoint("alice")[0] == 404
        assert appoint("bob") == (303, "")
        assert "Managed by" in alice.get(page).text
        assert bob.get(f"/rooms/{den}/danger").text.count("Archive") > 0

    def test_direct_rooms_and_wrong_names_do_not_exist(self, alice: Visitor, bob: Visitor, services: Services) -> None:
        author = Author(user_of(services, "bob").id, "Bob")
        direct = services.rooms.direct.open(author, [user_of(services, "alice").id])
        assert alice.get(f"/admin/rooms/{direct.slug}").status_code == 404
        assert alice.get("/admin/rooms/nowhere").status_code == 404


def titles(page: str) -> list[str]:
    return re.findall(r'<a href="/admin/rooms/[^"]*"><bdi>(.*?)</bdi>', page)
