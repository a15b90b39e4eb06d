"""An account is deleted: at once for who could be them, and through the log for what they wrote; on both databases."""

import io
import secrets
import threading
from datetime import UTC, datetime
from typing import Any

import pytest

from chatroom.base.config import Settings
from chatroom.base.errors import Refused, Unavailable
from chatroom.base.models import Author, Held, Message, Notice, Room, User
from chatroom.erasure import departed
from chatroom.messages.writer import Change
from chatroom.moderation.held_store import HeldStore, make_held_id
from chatroom.mongo.context import Context
from chatroom.mongo.database import Database
from chatroom.people.accounts import Registration
from chatroom.services import Services
from tests.messaging import append, new_draft
from tests.pictures import make_picture
from tests.visitors import PASSWORD
from tests.waiting import wait_until

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
FORMER = "Former member"


class Site:
    """Alice, who administers it, Bob, and what they say in the lobby."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.told: list[Notice] = []
        self.services = self.process()
        self.services.site.notices._apply = self.told.append
        self.services.rooms.making.ensure_lobby()
        self.alice, self.bob = self.add("alice"), self.add("bob")

    def process(self) -> Services:
        """The application once more, over the same database."""
        settings = Settings(mongo_uri="mongomock://", secret_key="k" * 32, bcrypt_rounds=4)
        services = Services(settings)
        services._wire(Context(settings, self.database, settings.secret_key, secrets.token_hex(4)))
        return services

    def add(self, name: str) -> User:
        return self.services.people.accounts.create(
            Registration(username=name, display_name=name.title(), password=PASSWORD)
        )

    def room(self, user: User, slug: str = "lobby") -> Room:
        return self.services.rooms.access.get_for(user.id, slug).room

    def say(self, user: User, text: str, slug: str = "lobby", **more: Any) -> Message:
        access = self.services.rooms.access.get_for(user.id, slug)
        draft = self.services.messages.texts.with_mentions(access, new_draft(access.author, text, **more))
        return self.services.messages.writer.post(access.room, draft).message

    def change(self, user: User, change: Change, slug: str = "lobby") -> Message:
        return self.services.messages.writer.change(self.room(user, slug), change)

    def states(self, slug: str = "lobby") -> list[Message]:
        """Every message as a reader from the beginning gets it, in the order of their sequences."""
        room = self.services.rooms.store.find_by_slug(slug)
        assert room
        found = self.services.messages.store.changed_after(room.id, 0, 10_000)
        return sorted(found, key=lambda message: message.sequence)

    def revisions(self) -> list[int]:
        return sorted(revision for each in self.database["messages"].find() for revision in each["revisions"])

    def delete(self, user: User, *, is_erased: bool = False) -> None:
        self.services.erasure.account_deletion.delete_own(user, PASSWORD, "192.0.2.1", is_erased=is_erased)

    def leaving(self) -> list[str]:
        return [former.id for former in self.services.people.states.list_leaving()]

    def settle(self) -> None:
        """Let the minute pass in which something of theirs may still arrive."""
        self.database["users"].update_many({"is_leaving": True}, {"$set": {"deleted_at": LONG_AGO}})


@pytest.fixture
def site(database: Database) -> Site:
    return Site(database)


class TestAtOnce:
    def test_nobody_can_log_in_to_the_account(self, site: Site) -> None:
        """M11."""
        services, bob = site.services, site.bob
        secret = services.people.sessions.begin(bob, label="Firefox on Linux", address="192.0.2.7")
        token = services.people.sessions.create_token(bob, label="bot")
        link = services.people.resets.make(None, bob)
        site.delete(bob)
        assert services.people.sessions.find_valid(secret) is None
        assert services.people.sessions.find_valid(token) is None
        with pytest.raises(Refused, match="Wrong user name or password"):
            services.people.accounts.authenticate("bob", PASSWORD, "192.0.2.1")
        with pytest.raises(Refused):
            services.people.resets.use(link, "a good long one")
        ended = list(site.database["sessions"].find({"user_id": bob.id}))
        assert [(each["label"], each["address"]) for each in ended] == [("", "")] * 2
        assert all(each["ended_at"] for each in ended)

    def test_nothing_of_the_person_is_left(self, site: Site) -> None:
        site.services.people.users.set_profile(
            site.bob, {"display_name": "Robert", "about": "a gardener", "time_zone": "Europe/Vienna"}
        )
        site.delete(site.bob)
        left = site.database["users"].find_one({"_id": site.bob.id})
        assert left is not None
        gone = {"username", "password_hash", "about", "time_zone"}
        assert not gone & set(left)
        assert left["display_name"] == FORMER

    @pytest.mark.integration
    def test_the_names_stay_reserved(self, real_database: Database) -> None:
        """M11."""
        site = Site(real_database)
        site.services.people.users.set_profile(site.bob, {"display_name": "Robert"})
        site.delete(site.bob)
        for name, display_name in (("bob", "New"), ("BOB", "New"), ("new", "Robert")):
            with pytest.raises(Refused) as caught:
                site.services.people.accounts.create(
                    Registration(username=name, display_name=display_name, password=PASSWORD)
                )
            assert caught.value.reason == "taken"

    def test_the_account_is_not_found(self, site: Site) -> None:
        users, rooms = site.services.people.users, site.services.rooms
        lobby = rooms.access.get_for(site.alice.id, "lobby")
        site.say(site.bob, "hello")
        site.delete(site.bob)
        assert users.find(site.bob.id) is None
        assert users.find_by_username("bob") is None
        directory = site.services.people.directory
        assert directory.find_named("Bob") == []
        for beginning in ("", "b", "former"):
            assert [user.username for user in directory.search(beginning)] == ([] if beginning else ["alice"])
            assert [user.username for user in directory.list_like(beginning, "", 9)] == ([] if beginning else ["alice"])
            named = directory.list_named_like(beginning, 9)
            assert [user.username for user in named] == ([] if beginning else ["alice"])
        assert [member.username for member in rooms.members.list_like(lobby.room, "")[0]] == ["alice"]
        assert [member.person.username for member in rooms.members.list_page(lobby.room)] == ["alice"]
        assert site.services.rooms.access.find_for(site.bob.id, "lobby") is None
        assert site.say(site.alice, "@bob?").mentions == ()
        assert site.services.moderation.overview().people == 1
        with pytest.raises(Refused, match="deleted"):
            site.services.moderation.moderation.get(site.bob.id)

    def test_subscriptions_webhooks_links_and_memberships_end(self, site: Site) -> None:
        services, bob = site.services, site.bob
        services.people.avatars.set(bob.id, io.BytesIO(make_picture("PNG")))
        services.outbound.push.subscribe(bob.id, "session", "https://1.1.1.1/push", "p" * 87, "a" * 22)
        den = services.rooms.making.create(Author(bob.id, "Bob"), "member", title="Den", is_private=True)
        access = services.rooms.access.get_for(bob.id, den.slug)
        code = services.rooms.links.make(access, uses=5, hours=1)
        services.outbound.webhooks.make_incoming(access, access.author, "CI")
        services.moderation.moderation.set_role(None, bob, "administrator")
        services.moderation.admission.make_invite(services.moderation.moderation.get(bob.id), uses=1, days=1)
        services.moderation.admission.make_invite(None, uses=1, days=1)
        site.delete(services.moderation.moderation.get(bob.id))
        assert services.people.avatars.listed() == ()
        for name in ("subscriptions", "hooks", "room_invites", "memberships"):
            owner = {"memberships": "user"}.get(name)
            query = {owner: bob.id} if owner else {}
            assert site.database.client[site.database.name][name].count_documents(query) == 0, name
        assert [invite.about["made_by"] for invite in services.moderation.admission.list_invites()] == ["the console"]
        with pytest.raises(Refused):
            services.rooms.links.get(code)

    def test_held_messages_are_removed(self, site: Site) -> None:
        services = site.services
        held, room = HeldStore(site.database), site.room(site.bob)
        for number, state in enumerate(("waiting", "rejected", "approved")):
            fields: dict[str, Any] = {"id": make_held_id(), "room_id": room.id, "is_public": True, "text": "let me in"}
            fields |= {"client_id": f"c{number}", "held_at": LONG_AGO, "author": Author(site.bob.id, "Bob")}
            one = Held(**fields)
            held.add(one, 10)
            if state != "waiting":
                held.decide(one.id, state, Author(site.alice.id, "Alice"), "why")
        services.people.users.mark_held(site.bob.id, LONG_AGO)
        site.delete(site.bob)
        services.people.users.mark_held(site.bob.id, LONG_AGO)
        # What was approved a moment ago becomes a message, and goes as messages do.
        assert [each["state"] for each in site.database["held"].find()] == ["approved"]
        assert "held_at" not in (site.database["users"].find_one({"_id": site.bob.id}) or {})

    def test_a_room_that_they_alone_managed_passes_to_another(self, site: Site) -> None:
        services = site.services
        den = services.rooms.making.create(Author(site.bob.id, "Bob"), "member", title="Den", is_private=True)
        access = services.rooms.access.get_for(site.bob.id, den.slug)
        bot = services.people.accounts.create_bot("robot", "Robot")
        carol, dave = site.add("carol"), site.add("dave")
        for each in (bot, carol, dave):
            services.rooms.membership.add(access, each.id, each.display_name)
        services.rooms.membership.set_role(access, dave.id, "moderator")
        site.delete(site.bob)
        assert services.rooms.access.get_for(dave.id, den.slug).may_manage
        assert not services.rooms.access.get_for(carol.id, den.slug).may_manage
        assert site.states(den.slug)[-1].text == "Dave is now an administrator of this room"
        site.delete(dave)
        assert services.rooms.access.get_for(carol.id, den.slug).may_manage
        site.delete(carol)
        assert services.rooms.access.find_for(bot.id, den.slug) is not None

    def test_direct_rooms_stay_for_the_others(self, site: Site) -> None:
        services = site.services
        room = services.rooms.direct.open(Author(site.alice.id, "Alice"), [site.bob.id])
        site.say(site.bob, "between us", room.slug)
        site.told.clear()
        site.delete(site.bob)
        (entry,) = [each for each in services.rooms.listings.list_for(site.alice.id) if each.room.kind == "direct"]
        assert entry.title == FORMER
        assert services.rooms.access.get_for(site.alice.id, room.slug).room.title == FORMER
        assert Notice(kind="rooms", user=site.alice.id) in site.told
        assert services.rooms.direct.open(Author(site.alice.id, "Alice"), [site.bob.id]).id == room.id
        carol = site.add("carol")
        with pytest.raises(Refused, match="no account"):
            services.rooms.direct.open(Author(carol.id, "Carol"), [site.bob.id])

    def test_the_audit_log_keeps_the_name(self, site: Site) -> None:
        site.delete(site.bob, is_erased=True)
        (entry,) = site.services.site.audit.page(act="delete_account").entries
        assert (entry.actor.name, entry.subject.id, entry.subject.name) == ("Bob", site.bob.id, "bob")
        assert entry.details == {"messages": "erased"}


class TestWhoMay:
    def test_the_password_is_required(self, site: Site) -> None:
        with pytest.raises(Refused) as caught:
            site.services.erasure.account_deletion.delete_own(site.bob, "wrong", "192.0.2.1", is_erased=True)
        assert caught.value.reason == "wrong_password"
        assert site.services.people.users.find(site.bob.id) is not None

    def test_the_last_administrator_stays(self, site: Site) -> None:
        assert site.services.erasure.account_deletion.is_last_administrator(site.alice)
        with pytest.raises(Refused) as caught:
            site.delete(site.alice)
        assert caught.value.reason == "last_administrator"
        site.services.moderation.moderation.set_role(None, site.bob, "administrator")
        site.delete(site.services.moderation.moderation.get(site.alice.id))
        assert site.services.people.users.find(site.alice.id) is None

    def test_the_first_account_leaves_no_throne_behind(self, site: Site) -> None:
        """Whoever registers next is a member, although the site's first account is gone."""
        site.services.moderation.moderation.set_role(None, site.bob, "administrator")
        site.delete(site.alice)
        assert site.add("carol").role == "member"

    @pytest.mark.parametrize("role", ["member", "moderator"])
    def test_others_may_not(self, site: Site, role: Any) -> None:
        carol = site.add("carol")
        bob = site.services.moderation.moderation.set_role(None, site.bob, role)
        with pytest.raises(Refused) as caught:
            site.services.erasure.account_deletion.delete(bob, carol, "", is_erased=True)
        assert caught.value.reason == "forbidden"

    def test_an_administrator_deletes_members_and_bots_and_no_administrators(self, site: Site) -> None:
        deletion = site.services.erasure.account_deletion
        bot = site.services.people.accounts.create_bot("robot", "Robot")
        deletion.delete(site.alice, site.bob, "asked for it by letter", is_erased=False)
        deletion.delete(site.alice, bot, "", is_erased=True)
        reasons = [entry.reason for entry in site.services.site.audit.page(act="delete_account").entries]
        assert reasons == ["", "asked for it by letter"]
        carol = site.services.moderation.moderation.set_role(None, site.add("carol"), "administrator")
        for user in (carol, site.alice):
            with pytest.raises(Refused) as caught:
                deletion.delete(site.alice, user, "", is_erased=False)
            assert caught.value.reason == "forbidden"

    def test_twice_is_once(self, site: Site) -> None:
        site.services.erasure.account_deletion.delete(None, site.bob, "", is_erased=False)
        with pytest.raises(Refused) as caught:
            site.services.erasure.account_deletion.delete(None, site.bob, "", is_erased=True)
        assert caught.value.reason == "not_found"


def talk(site: Site) -> None:
    """Bob says things, deletes one, reacts and is named; Alice says and does as much."""
    site.say(site.alice, "welcome @bob")
    first = site.say(site.bob, "good morning")
    taken_back = site.say(site.bob, "a slip")
    answer = site.say(site.alice, "good morning to you", reply_to=first.sequence)
    theirs = site.services.rooms.access.get_for(site.bob.id, "lobby")
    hers = site.services.rooms.access.get_for(site.alice.id, "lobby")
    changes = site.services.messages.changes
    site.change(site.bob, changes.deleting(theirs, taken_back.id))
    site.change(site.bob, changes.reacting(theirs, answer.id, "🎉"))
    site.change(site.alice, changes.reacting(hers, first.id, "🎉"))
    site.services.messages.writer.note(site.room(site.bob), theirs.author, "joined")


def named(messages: list[Message]) -> list[tuple[str, str, str]]:
    """Who is said to have written what, and who reacted."""
    people = [" ".join(f"{r.emoji} {p.name}" for r in each.reactions for p in r.people) for each in messages]
    return [(each.author.name, each.text, who) for each, who in zip(messages, people, strict=True)]


class TestWhatTheyWrote:
    def test_kept_under_former_member(self, site: Site) -> None:
        talk(site)
        site.delete(site.bob)
        states = site.states()
        assert named(states) == [
            ("Alice", "welcome @bob", ""),
            (FORMER, "good morning", "🎉 Alice"),
            (FORMER, "", ""),
            ("Alice", "good morning to you", f"🎉 {FORMER}"),
            (FORMER, f"{FORMER} joined", ""),
        ]
        assert f">@{FORMER}</span>" in states[0].html
        assert {each.author.id for each in states} == {site.alice.id, site.bob.id}
        assert "Bob" not in "".join(each.html for each in states)
        assert site.revisions() == list(range(1, len(site.revisions()) + 1))

    def test_erased(self, site: Site) -> None:
        talk(site)
        site.delete(site.bob, is_erased=True)
        states = site.states()
        assert named(states) == [
            ("Alice", "welcome @bob", ""),
            (FORMER, "", ""),
            (FORMER, "", ""),
            ("Alice", "good morning to you", ""),
            (FORMER, f"{FORMER} joined", ""),
        ]
        assert [bool(each.deleted_at) for each in states] == [False, True, True, False, False]
        assert "good morning" not in str(list(site.database["messages"].find({"author.id": site.bob.id})))
        assert site.revisions() == list(range(1, len(site.revisions()) + 1))

    def test_a_reader_with_an_old_cursor_converges(self, site: Site) -> None:
        talk(site)
        lobby = site.room(site.alice)
        store = site.services.messages.store
        seen = {message.id: message for message in store.changed_after(lobby.id, 0, 3)}
        cursor = max(message.revision for message in seen.values())
        site.delete(site.bob)
        while page := store.changed_after(lobby.id, cursor, 2):
            seen |= {message.id: message for message in page}
            cursor = page[-1].revision
        assert sorted(seen.values(), key=lambda message: message.sequence) == site.states()

    def test_everywhere_also_in_rooms_that_they_had_left(self, site: Site) -> None:
        services = site.services
        den = services.rooms.making.create(Author(site.alice.id, "Alice"), "member", title="Den", is_private=True)
        services.rooms.membership.add(services.rooms.access.get_for(site.alice.id, den.slug), site.bob.id, "Bob")
        site.say(site.bob, "in the den", den.slug)
        services.rooms.membership.leave(services.rooms.access.get_for(site.bob.id, den.slug))
        site.delete(site.bob, is_erased=True)
        said = [each for each in site.states(den.slug) if each.author.id == site.bob.id]
        assert [(each.author.name, each.text) for each in said] == [(FORMER, ""), (FORMER, f"{FORMER} left")]

    def test_erased_messages_lose_their_files(self, site: Site) -> None:
        files, lobby = site.services.files, site.room(site.bob)
        file = files.uploads.take(site.bob.id, lobby, "a.png", io.BytesIO(make_picture("PNG")))
        draft = new_draft(Author(site.bob.id, "Bob"), "look")
        draft = site.services.files.of_messages.attach(lobby, draft, [file.id])
        site.services.messages.writer.post(lobby, draft)
        site.delete(site.bob, is_erased=True)
        with pytest.raises(Refused):
            files.store.get(file.id)

    def test_kept_messages_keep_their_files(self, site: Site) -> None:
        files, lobby = site.services.files, site.room(site.bob)
        file = files.uploads.take(site.bob.id, lobby, "a.png", io.BytesIO(make_picture("PNG")))
        draft = new_draft(Author(site.bob.id, "Bob"), "look")
        draft = site.services.files.of_messages.attach(lobby, draft, [file.id])
        site.services.messages.writer.post(lobby, draft)
        site.delete(site.bob)
        assert files.usage.has_message(files.store.get(file.id))

    def test_search(self, site: Site) -> None:
        talk(site)
        site.delete(site.bob)
        search = site.services.search.search
        (hit,) = search.find(site.alice.id, "morning from:me").hits
        assert hit.message.author.name == "Alice"
        assert [hit.message.author.name for hit in search.find(site.alice.id, "morning").hits] == ["Alice", FORMER]
        with pytest.raises(Refused, match="no user named"):
            search.find(site.alice.id, "morning from:bob")

    def test_among_many_others(self, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
        """Only their own messages are read and written, however many there are of others."""
        monkeypatch.setattr(departed, "BATCH", 5)
        lobby = site.room(site.alice)
        authors = [Author(site.alice.id, "Alice"), Author(site.bob.id, "Bob")]
        append(site.services, lobby.id, [new_draft(authors[n % 20 == 0], f"m{n}") for n in range(400)])
        site.say(site.bob, "the last")
        read: list[int] = []
        find_all = site.services.messages.store.find_all

        def count(ids: Any, rooms: Any) -> Any:
            read.append(len(ids))
            return find_all(ids, rooms)

        monkeypatch.setattr(site.services.messages.store, "find_all", count)
        site.delete(site.bob)
        assert sum(read) == 21
        theirs = [each for each in site.states() if each.author.id == site.bob.id]
        assert {each.author.name for each in theirs} == {FORMER}
        assert len(theirs) == 21
        assert len(site.revisions()) == 401 + 21


class TestToTheEnd:
    def test_a_death_in_the_middle_is_finished_by_another_process(
        self, site: Site, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(departed, "BATCH", 3)
        for n in range(10):
            site.say(site.bob, f"m{n}")
        change, calls = site.services.messages.writer.change, []

        def die(*arguments: Any) -> Any:
            calls.append(arguments)
            if len(calls) == 2:
                raise Unavailable("killed")
            return change(*arguments)

        monkeypatch.setattr(site.services.messages.writer, "change", die)
        site.delete(site.bob, is_erased=True)  # the account is gone; the rest follows
        assert len([each for each in site.states() if each.deleted_at]) == 3
        assert site.services.people.users.find(site.bob.id) is None
        site.process().erasure.account_deletion.finish()
        assert all(each.deleted_at and each.author.name == FORMER for each in site.states())
        assert site.revisions() == list(range(1, 21))

    def test_a_death_right_after_the_first_write(self, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
        """The account is gone by then; everything else is done by whoever is there."""
        secret = site.services.people.sessions.begin(site.bob, label="x", address="")
        site.say(site.bob, "hello")
        site.services.people.states.make_former(site.bob.id, is_erased=False)
        assert site.services.people.sessions.find_valid(secret) is None
        site.process().erasure.account_deletion.finish()
        assert site.database["memberships"].count_documents({"user": site.bob.id}) == 0
        assert site.database["sessions"].count_documents({"user_id": site.bob.id, "ended_at": None}) == 0
        assert [each.author.name for each in site.states()] == [FORMER]

    def test_late_messages_are_erased_too(self, site: Site) -> None:
        """M11."""
        lobby = site.room(site.bob)
        late = new_draft(Author(site.bob.id, "Bob"), "late")
        site.delete(site.bob, is_erased=True)
        assert site.leaving() == [site.bob.id]
        append(site.services, lobby.id, [late])
        site.services.erasure.account_deletion.finish()
        assert site.states()[-1].text == "late"  # looked for once, it waits for the last look
        site.settle()
        site.services.erasure.account_deletion.finish()
        assert (site.states()[-1].text, site.states()[-1].author.name) == ("", FORMER)
        assert site.leaving() == []

    def test_when_it_is_over_nothing_is_looked_at_again(self, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
        talk(site)
        site.delete(site.bob)
        site.settle()
        before = site.revisions()
        site.services.erasure.account_deletion.finish()
        assert site.revisions() == before
        monkeypatch.setattr(site.services.messages.store, "find_all", None)
        site.services.erasure.account_deletion.finish()

    def test_the_thread_does_it(self, site: Site) -> None:
        talk(site)
        deletion = site.services.erasure.account_deletion
        deletion.thread.start()
        try:
            site.delete(site.bob)
            wait_until(lambda: {each.author.name for each in site.states()} == {"Alice", FORMER})
        finally:
            deletion.thread.stop()

    @pytest.mark.integration
    def test_two_processes_at_once_do_no_harm(self, real_database: Database) -> None:
        site = Site(real_database)
        for n in range(40):
            site.say(site.bob, f"m{n}")
        site.services.people.states.make_former(site.bob.id, is_erased=True)
        others = [site.process().erasure.account_deletion for _ in range(2)]
        threads = [threading.Thread(target=each.finish) for each in others]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert all(each.deleted_at for each in site.states())
        assert site.revisions() == list(range(1, 81))
