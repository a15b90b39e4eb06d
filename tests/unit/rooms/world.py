"""Rooms over a database, and what was told of them."""

import pytest

from chatroom.base.access import Access
from chatroom.base.config import Settings
from chatroom.base.errors import Refused
from chatroom.base.models import Author, Notice, Room
from chatroom.erasure.erasure_store import ErasureStore
from chatroom.erasure.retention import Retention
from chatroom.messages.messages_store import MessageStore
from chatroom.mongo.database import Database
from chatroom.site.audit import Audit
from chatroom.site.audit_store import AuditStore
from chatroom.site.notices import Notices
from chatroom.site.notices_store import NoticeStore
from tests.conftest import Clock
from tests.databases import make_acts, make_rooms
from tests.messaging import Messaging, make_rules
from tests.people import ALICE, BOB, MALLORY

DEN = Room(id="den", slug="the-den", title="The den", kind="private")


def reason(refusal: pytest.ExceptionInfo[Refused]) -> str:
    return refusal.value.reason


class World:
    """Rooms over a database, and what was told of them."""

    def __init__(self, database: Database, clock: Clock, settings: Settings | None = None) -> None:
        self.database = database
        self.clock = clock
        self.told: list[Notice] = []
        self.store = MessageStore(database, origin="here")
        self.messages = Messaging(self.store, clock=clock)
        notices = Notices(NoticeStore(database), apply=self.told.append)
        self.audit = Audit(AuditStore(database))
        self.acts = make_acts(database, notices, clock)
        self.rooms = make_rooms(database, self.messages.writer, notices, self.acts, settings, clock=clock)
        self.rooms.making.ensure_lobby()
        for person in (ALICE, BOB, MALLORY):
            keys = {"username_key": person.id, "display_name_key": person.id, "name_keys": [person.id]}
            names = {"display_name": person.name, "username": person.name.lower()}
            database["users"].insert_one({"_id": person.id, **names, **keys})

    def lines(self, room: Room) -> list[str]:
        """What the room itself said."""
        return [each.text for each in self.store.newest(room.id, 50) if each.kind == "event"]

    def den(self) -> Access:
        """A private room of Alice's with Bob in it, as Alice sees it."""
        room = self.rooms.making.create(ALICE, "member", title="The den", is_private=True)
        access = self.access(ALICE, room)
        self.rooms.membership.add(access, BOB.id, BOB.name)
        return access

    def access(self, person: Author, room: Room) -> Access:
        return self.rooms.access.visit(person.id, room.slug)

    def post(self, access: Access, client_id: str) -> None:
        """What the rules of the room say to a post."""
        rules = make_rules(take_turn=self.rooms.preferences.take_turn, clock=self.clock)
        rules.check("post", access, "person")
        rules.take_turn(access, "person", client_id)

    def is_in(self, person: Author, room: Room) -> bool:
        return self.rooms.access.find_for(person.id, room.slug) is not None


class Managed(World):
    """A world whose rooms can be changed."""

    def __init__(self, database: Database, clock: Clock) -> None:
        super().__init__(database, clock)
        rooms = self.rooms
        self.room_store = rooms.store
        self.settings = rooms.settings
        self.links = rooms.links
        self.store._clock = clock

    def retention(self) -> Retention:
        return Retention(ErasureStore(self.database), self.store, self.messages.changes, clock=self.clock)
