"""Reporting a message, and deciding about it."""

import re

import pytest
from flask import Flask

from chatroom.base.models import Author, Room
from chatroom.rooms.access import LOBBY
from chatroom.rooms.memberships_store import MembershipStore
from chatroom.rooms.rooms_store import RoomStore
from chatroom.services import Services
from tests.conftest import MakeApp, services_of, signed_in
from tests.faulty import MODES, Writes
from tests.messaging import new_draft
from tests.visitors import Visitor, problem, user_of

REPORT = "/chatroom/lobby/4/report"


@pytest.fixture
def talk(alice: Visitor, bob: Visitor, mallory: Visitor) -> None:
    """Nine messages in the lobby; Mallory's, the fourth, is rude. Alice is the administrator."""
    for n in range(1, 10):
        (mallory if n == 4 else alice).say(f"rude words {n}" if n == 4 else f"word {n}")


def report(visitor: Visitor, reason: str = "This is <rude>.") -> int:
    return visitor.submit(REPORT, reason=reason).status_code


def decide(visitor: Visitor, services: Services, **typed: str) -> int:
    (report, *_) = services.moderation.reports.list_open()
    fields = {"reason": "", "duration": "1d", "author": "", **typed}
    return visitor.submit("/account", to=f"/reports/{report.id}", **fields).status_code


@pytest.mark.usefixtures("talk")
class TestReport:
    def test_it_reaches_the_moderators_with_its_neighbours(self, alice: Visitor, bob: Visitor) -> None:
        assert "the three before and the three after it" in bob.get(REPORT).text
        assert report(bob) == 303
        assert "You have reported this message." in bob.get(REPORT).text
        page = alice.get("/reports").text
        for words in ("Bob", "This is &lt;rude&gt;.", "rude words 4", *(f"word {n}" for n in (1, 2, 3, 5, 6, 7))):
            assert words in page
        assert "word 8" not in page

    def test_a_deleted_neighbour_says_so(self, alice: Visitor, bob: Visitor, services: Services) -> None:
        access = services.rooms.access.get_for(user_of(services).id, "lobby")
        reporter = services.rooms.access.get_for(user_of(services, "bob").id, "lobby")
        message = services.moderation.reports.get_message(reporter, 3)
        services.messages.writer.change(access.room, services.messages.changes.deleting(access, message.id))
        report(bob)
        assert alice.get("/reports").text.count("This message was deleted.") == 1

    def test_once(self, bob: Visitor, services: Services) -> None:
        """M07."""
        assert [report(bob), report(bob)] == [303, 303]
        assert len(services.moderation.reports.list_open()) == 1

    @pytest.mark.parametrize("reason", ["", " \n ", "x" * 501])
    def test_a_reason_is_wanted(self, bob: Visitor, services: Services, reason: str) -> None:
        response = bob.submit(REPORT, reason=reason)
        assert response.status_code == 400
        assert problem(response)
        assert services.moderation.reports.list_open() == []

    def test_own_and_missing_messages_cannot_be_reported(self, bob: Visitor, mallory: Visitor) -> None:
        assert mallory.get(REPORT).status_code == 403
        for sequence in (99, 2**60, 10**30):
            assert bob.get(f"/chatroom/lobby/{sequence}/report").status_code == 404

    def test_deleted_messages_cannot_be_reported(self, bob: Visitor, mallory: Visitor, services: Services) -> None:
        access = services.rooms.access.get_for(user_of(services, "mallory").id, "lobby")
        message = services.moderation.reports.get_message(
            services.rooms.access.get_for(user_of(services, "bob").id, "lobby"), 4
        )
        services.messages.writer.change(access.room, services.messages.changes.deleting(access, message.id))
        assert bob.get(REPORT).status_code == 404

    def test_members_do_not_see_the_queue(self, bob: Visitor, mallory: Visitor) -> None:
        """M06."""
        report(bob)
        assert [somebody.get("/reports").status_code for somebody in (bob, mallory)] == [404, 404]


def test_reports_are_limited(make_app: MakeApp) -> None:
    """M07."""
    app = make_app(report_limit_account="1 per hour")
    alice, bob = signed_in(app, "alice"), signed_in(app, "bob")
    for n in range(2):
        alice.say(str(n))
    statuses = [bob.submit(f"/chatroom/lobby/{n}/report", reason="x").status_code for n in (1, 2)]
    assert statuses == [303, 429]
    assert len(services_of(app).moderation.reports.list_open()) == 1


@pytest.mark.usefixtures("talk")
class TestDecide:
    def test_delete_and_mute(self, alice: Visitor, bob: Visitor, mallory: Visitor, services: Services) -> None:
        report(bob)
        assert decide(alice, services, author="muted", delete="on", reason="rude") == 303
        page = bob.get("/chatroom").text
        assert "This message was deleted" in page
        assert "rude words" not in page
        assert mallory.say("again").status_code == 403
        assert "There are no open reports" in alice.get("/reports").text
        acts = [(entry.act, entry.subject.name) for entry in services.site.audit.page().entries]
        assert acts == [
            ("uphold_report", "Mallory in Lobby"),
            ("delete_message", "Mallory in Lobby"),
            ("mute", "mallory"),
        ]
        assert "rude words" not in str(list(services.database["reports"].find()))

    @pytest.mark.parametrize("mode", MODES)
    def test_a_decision_that_fails_half_way_is_completed_by_a_second_try(
        self,
        alice: Visitor,
        bob: Visitor,
        mallory: Visitor,
        services: Services,
        monkeypatch: pytest.MonkeyPatch,
        mode: str,
    ) -> None:
        """M14: each of its writes fails once, in its turn; each act is noted once."""
        writes, number = Writes(monkeypatch), 0
        choice = {"author": "muted", "delete": "on", "reason": "rude"}
        while True:
            number += 1
            services.moderation.moderation.mute(None, user_of(services, "mallory"), None)
            services.database["audit"].delete_many({})
            author, reporter = user_of(services, "mallory"), user_of(services, "bob")
            draft = new_draft(Author(author.id, "Mallory"), "rude")
            message = services.messages.writer.post(LOBBY, draft).message
            access = services.rooms.access.get_for(reporter.id, "lobby")
            services.moderation.reports.make(access, access.author, message, "rude")
            path = f"/reports/{services.moderation.reports.list_open()[0].id}"
            fields = alice.fields("/reports") | choice
            with writes.failing(number, mode):
                status = alice.post(path, data=fields).status_code
            if not writes.has_failed:
                break
            assert status in {303, 503}
            if status == 503:
                assert alice.post(path, data=fields).status_code in {303, 404}, number  # 404: it is decided
            services.site.acts.finish(is_urgent=True)
            assert user_of(services, "mallory").muted_until
            services.moderation.moderation.mute(None, user_of(services, "mallory"), None)
            acts = sorted(entry.act for entry in services.site.audit.page().entries if entry.act != "unmute")
            assert acts == ["delete_message", "mute", "uphold_report"], (number, status)
        assert number > 10

    def test_ban(self, alice: Visitor, bob: Visitor, mallory: Visitor, services: Services) -> None:
        report(bob)
        assert decide(alice, services, author="banned", duration="lifted", reason="rude") == 303
        assert not mallory.is_signed_in

    def test_dismiss(self, alice: Visitor, bob: Visitor, mallory: Visitor, services: Services) -> None:
        report(bob)
        assert decide(alice, services, dismiss="1", author="banned", delete="on") == 303
        assert mallory.is_signed_in
        assert services.site.audit.page().entries[0].act == "dismiss_report"
        assert "You have reported this message" in bob.get(REPORT).text

    def test_one_decision_for_all_reports_of_a_message(
        self, app: Flask, alice: Visitor, bob: Visitor, services: Services
    ) -> None:
        report(bob)
        report(signed_in(app, "carol"))
        assert decide(alice, services, dismiss="1") == 303
        assert services.moderation.reports.list_open() == []
        assert services.site.audit.page().entries[0].details == {"reports": 2}

    @pytest.mark.parametrize(
        "typed", [{}, {"author": "muted"}, {"author": "shot", "reason": "x"}, {"author": "banned", "duration": "x"}]
    )
    def test_invalid_input_decides_nothing(
        self, alice: Visitor, bob: Visitor, services: Services, typed: dict[str, str]
    ) -> None:
        report(bob)
        assert decide(alice, services, **typed) == 400
        assert len(services.moderation.reports.list_open()) == 1

    def test_a_report_that_was_decided(self, alice: Visitor, bob: Visitor, services: Services) -> None:
        report(bob)
        (found,) = services.moderation.reports.list_open()
        decide(alice, services, dismiss="1")
        assert alice.submit("/account", to=f"/reports/{found.id}", dismiss="1").status_code == 404

    def test_nobody_decides_about_themselves(self, alice: Visitor, bob: Visitor, services: Services) -> None:
        """M06."""
        services.moderation.moderation.set_role(None, user_of(services, "bob"), "moderator")
        assert bob.submit("/chatroom/lobby/3/report", reason="dull").status_code == 303
        assert "dull" not in alice.get("/reports").text
        assert "dull" in bob.get("/reports").text
        assert decide(alice, services, dismiss="1") == 404

    def test_a_room_s_moderators_have_its_reports(self, app: Flask, alice: Visitor, bob: Visitor) -> None:
        """And of a private room, the site's see what was handed over, and cannot delete it."""
        services = services_of(app)
        den = Room(id="den", slug="den", title="Den", kind="private")
        rooms = RoomStore(services.database)
        memberships = MembershipStore(services.database)
        rooms.ensure(den)
        people = {name: signed_in(app, name) for name in ("carol", "dave")}
        for name in people:
            memberships.admit(user_of(services, name).id, den)
        services.database["memberships"].update_one(
            {"user": user_of(services, "carol").id, "room": "den"}, {"$set": {"role": "moderator"}}
        )
        people["dave"].say("psst", "/chatroom/den")
        assert people["carol"].submit("/chatroom/den/1/report", reason="whispers").status_code == 303
        assert "whispers" in people["carol"].get("/reports").text
        assert "whispers" in alice.get("/reports").text
        assert decide(alice, services, delete="on") == 403
        assert alice.get("/chatroom/den").status_code == 404
        assert decide(people["carol"], services, author="banned", reason="x") == 403
        assert decide(people["carol"], services, delete="on", author="muted in the room", reason="x") == 303
        assert people["dave"].say("psst", "/chatroom/den").status_code == 403
        assert people["dave"].say("hello").status_code == 303


def badge(visitor: Visitor) -> tuple[list[str], list[str]]:
    """The number at the picture of a visitor, and the numbers in the menu and in the title."""
    page = visitor.get("/chatroom").text
    at_picture = re.findall(r'account-button__count" aria-hidden="true">(\w+)<', page)[:1]
    in_menu = re.findall(r'popup__count">(\w+)<', page)
    return at_picture, in_menu + re.findall(r"<title>⚑ (\w+) – Lobby", page)


@pytest.mark.usefixtures("talk")
class TestBadge:
    def test_a_moderator_sees_the_number_of_open_reports_until_they_are_decided(
        self, alice: Visitor, bob: Visitor, services: Services
    ) -> None:
        assert badge(alice) == ([], [])
        report(bob)
        assert badge(alice) == (["1"], ["1", "1"])
        assert "1 to decide" in alice.get("/account").text
        assert decide(alice, services, dismiss="1") == 303
        assert badge(alice) == ([], [])

    def test_a_member_sees_neither_the_number_nor_the_pages(self, bob: Visitor) -> None:
        report(bob)
        assert badge(bob) == ([], [])
        assert "/reports" not in bob.get("/chatroom").text

    def test_a_moderator_of_a_room_sees_the_reports_of_the_room_but_not_about_themselves(
        self, bob: Visitor, mallory: Visitor, services: Services
    ) -> None:
        report(bob)
        for name in ("mallory", "bob"):
            services.rooms.membership_store.set_role(user_of(services, name).id, LOBBY, "moderator")
        assert badge(bob) == (["1"], ["1", "1"])
        assert badge(mallory) == ([], [])
        assert 'href="/reports"' in mallory.get("/chatroom").text


@pytest.mark.usefixtures("talk")
class TestOpenCases:
    """The numbers that an open page shows anew."""

    def count(self, visitor: Visitor) -> tuple[int, int]:
        found = visitor.get("/api/cases").get_json()
        return found["reports"], found["held"]

    def test_they_count_what_somebody_may_decide(self, alice: Visitor, bob: Visitor) -> None:
        assert self.count(alice) == (0, 0)
        report(bob)
        assert self.count(alice) == (1, 0)
        assert bob.get("/api/cases").status_code == 404

    def test_a_report_and_its_decision_are_told_and_not_to_the_author(
        self, alice: Visitor, bob: Visitor, services: Services
    ) -> None:
        mallory = user_of(services, "mallory").id
        kinds = {"kind": "report", "user": mallory, "room": LOBBY.id}
        report(bob)
        assert services.database["notices"].count_documents(kinds) == 1
        assert decide(alice, services, dismiss="1") == 303
        assert services.database["notices"].count_documents(kinds) == 2
