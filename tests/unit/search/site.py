"""A site with two rooms and three people, whose messages can be searched."""

import time
from collections.abc import Callable
from datetime import UTC, datetime

from bson import ObjectId

from chatroom.base.models import Author, Message, Room, User
from chatroom.messages.messages_store import MessageStore
from chatroom.mongo.database import Database
from chatroom.rooms.listings_store import ListingStore
from chatroom.rooms.memberships_store import MembershipStore
from chatroom.rooms.rooms_store import RoomStore
from chatroom.search.indexer import Indexer
from chatroom.search.search import Results, Search
from chatroom.search.search_store import SearchStore
from chatroom.site.leases_store import LeaseStore
from tests.messaging import Messaging
from tests.people import ALICE, BOB, MALLORY, draft

LOBBY = Room(id="lobby", slug="lobby", title="Lobby")
DEN = Room(id="den-id", slug="den", title="The Den", kind="private")
BATCH = 120
EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


class Site:
    """A lobby with Alice, Bob and Mallory, a den with Alice and Bob, and what they say."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.store = MessageStore(database, origin="here")
        self.messages = Messaging(self.store)
        self.rooms = RoomStore(database)
        self.memberships = MembershipStore(database)
        self.index = SearchStore(database)
        self.indexer = self.make_indexer()
        for room in (LOBBY, DEN):
            self.rooms.ensure(room)
        for person in (ALICE, BOB):
            self.memberships.admit(person.id, DEN)
        for person in (ALICE, BOB, MALLORY):
            self.memberships.admit(person.id, LOBBY)
        self.now = 0.0
        self.search = Search(
            self.index,
            self.store,
            self.indexer,
            rooms_of=ListingStore(database).rooms_of,
            find_users=self.find_users,
            clock=lambda: self.now,
        )

    def make_indexer(self, holder: str = "one", clock: Callable[[], float] = time.monotonic) -> Indexer:
        leases = LeaseStore(self.database, holder=holder)
        return Indexer(self.index, self.store, leases, self.rooms.list_ids, batch=BATCH, clock=clock)

    def find_users(self, name: str) -> list[User]:
        people = [person for person in (ALICE, BOB, MALLORY) if person.name.lower() == name.lower()]
        return [
            User(id=each.id, username=name, display_name=each.name, password_hash="", role="member", created_at=EPOCH)
            for each in people
        ]

    def say(self, *texts: str, room: Room = LOBBY, author: Author = ALICE) -> list[Message]:
        drafts = [draft(ObjectId().__str__(), text, author) for text in texts]
        return [stored.message for stored in self.messages.append(room.id, drafts)]

    def find(self, text: str, person: Author = ALICE, before: str | None = None, limit: int = 20) -> Results:
        return self.search.find(person.id, text, before, limit=limit)

    def texts(self, text: str, person: Author = ALICE) -> list[str]:
        return [hit.message.text for hit in self.find(text, person).hits]

    def words_kept(self) -> set[str]:
        entries = self.database["search_entries"].find()
        return {word for each in entries for word in each["words"] if not word.startswith(":")}

    def dictionary(self) -> set[str]:
        words = {each["_id"].partition(" ")[2] for each in self.database["search_words"].find()}
        return {word for word in words if not word.startswith(":")}
