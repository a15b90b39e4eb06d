"""The administration's pages: what they show and do, and to whom they do not exist."""

from chatroom.audit import CONSOLE, about_user
from chatroom.services import Services
from tests.unit.web.test_accounts import user_of
from tests.visitors import Visitor


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
