"""The administration's pages: what they show and do, and to whom they do not exist."""

import re

import pytest
from flask import Flask

from chatroom.admission import KEPT_SECONDS, Admission
from chatroom.audit import CONSOLE, about_user
from chatroom.durations import FOREVER
from chatroom.services import Services
from chatroom.store.site import SiteStore
from tests.conftest import Clock, visitor
from tests.unit.web.test_accounts import user_of
from tests.visitors import Visitor, problem


class TestAudit:
    def test_it_shows_who_did_what(self, alice: Visitor, bob: Visitor, services: Services) -> None:
        services.audit.record(CONSOLE, "ban", about_user(user_of(services, "bob")), "<b>spam</b>", {"until": "lifted"})
        page = alice.get("/admin/audit").text
        for words in ("the console", "<strong>ban</strong>", "&lt;b&gt;spam&lt;/b&gt;", "until: <bdi>lifted</bdi>"):
            assert words in page

    def test_filters(self, alice: Visitor, bob: Visitor, services: Services) -> None:
        services.audit.record(CONSOLE, "ban", about_user(user_of(services, "bob")), "it was Bob")
        assert "it was Bob" in alice.get("/admin/audit?about=BOB&act=ban").text
        for query in ("about=alice", "about=nobody", "act=mute", "about[$ne]=x&act=x"):
            assert "it was Bob" not in alice.get(f"/admin/audit?{query}").text

    def test_older_entries(self, alice: Visitor, services: Services) -> None:
        for n in range(60):
            services.audit.record(CONSOLE, "mute", about_user(user_of(services, "alice")), f"reason {n:02}")
        assert "reason 05" not in alice.get("/admin/audit").text
        before = services.audit.page().before
        assert "reason 05" in alice.get(f"/admin/audit?before={before}").text
        assert alice.get("/admin/audit?before=nonsense").status_code == 200


class TestOverview:
    def test_the_site_in_numbers(self, alice: Visitor, bob: Visitor) -> None:
        alice.say("hello")
        page = alice.get("/admin").text
        for fact in ("<dt>People</dt><dd>2</dd>", "<dt>Messages</dt><dd>1</dd>", "<dt>Here now</dt>", "Python 3."):
            assert fact in page

    def test_it_is_on_the_account_page_of_administrators(self, alice: Visitor, bob: Visitor) -> None:
        assert 'href="/admin"' in alice.get("/account").text
        assert 'href="/admin"' not in bob.get("/account").text


class TestPeople:
    def test_by_the_beginning_of_either_name(self, alice: Visitor, client: Visitor) -> None:
        client.register("zed", "Alison")
        assert names(alice, "") == ["Alice", "Alison"]
        assert names(alice, "ALI") == ["Alice", "Alison"]
        assert names(alice, "ze") == ["Alison"]
        assert names(alice, ".*") == []

    def test_in_pages(self, alice: Visitor, services: Services) -> None:
        for n in range(60):
            services.accounts.users.add(f"user{n:02}", f"User {n:02}", "hash")
        first = alice.get("/admin/people").text
        assert "user48" in first
        assert "user49" not in first
        assert "after=user48" in first
        assert names(alice, "&after=user48") == [f"User {n}" for n in range(49, 60)]

    def test_what_was_done_to_them(self, alice: Visitor, bob: Visitor, services: Services) -> None:
        services.moderation.ban(None, user_of(services, "bob"), FOREVER, "spam")
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
        assert "Invitation code" in visitor(app).get("/register").text
        assert visitor(app).register("carol").status_code == 403
        assert set_registration("") == 303
        assert visitor(app).register("carol").status_code == 303
        assert set_registration("wide open") == 400
        acts = [entry.details["registration"] for entry in services.audit.page(act="set_registration").entries]
        assert acts == ["as set up", "invite", "closed"]

    def test_other_processes_hear_of_it(self, alice: Visitor, services: Services, clock: Clock) -> None:
        store = SiteStore(services.database)
        elsewhere = Admission(store, services.accounts.invites, services.audit, "open", seconds=clock.seconds)
        assert elsewhere.registration() == "open"
        services.admission.set_registration(None, "closed")
        clock.advance(seconds=KEPT_SECONDS)
        assert elsewhere.registration() == "closed"

    def test_invites(self, app: Flask, alice: Visitor, services: Services) -> None:
        services.admission.set_registration(None, "invite")
        response = alice.submit("/admin/joining", to="/admin/invites", uses="2", days="7")
        assert response.status_code == 201
        (code,) = re.findall(r'id="code" readonly value="([^"]+)"', response.text)
        assert code not in alice.get("/admin/joining").text
        assert "2 people may still join" in alice.get("/admin/joining").text
        assert visitor(app).register("carol", invite=code).status_code == 303
        (invite,) = services.admission.list_invites()
        assert (invite.uses_left, invite.made_by) == (1, "Alice")
        assert alice.submit("/admin/joining", to=f"/admin/invites/{invite.id}/revoke").status_code == 303
        assert visitor(app).register("dave", invite=code).status_code == 403
        assert [entry.act for entry in services.audit.page().entries][:2] == ["revoke_invite", "make_invite"]

    @pytest.mark.parametrize("typed", [{"uses": "0"}, {"days": "9999"}, {"uses": "many"}, {"uses": "10001"}])
    def test_invites_that_may_not_be(self, alice: Visitor, services: Services, typed: dict[str, str]) -> None:
        response = alice.submit("/admin/joining", to="/admin/invites", **{"uses": "1", "days": "7", **typed})
        assert response.status_code == 400
        assert "1 to 10,000 people" in problem(response)
        assert services.admission.list_invites() == []
