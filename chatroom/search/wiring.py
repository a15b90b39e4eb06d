"""The wiring of this package: its parts and its collections."""

from chatroom.messages.wiring import MessageParts
from chatroom.mongo.collections import CollectionModel
from chatroom.people.wiring import PeopleParts
from chatroom.rooms.wiring import RoomParts
from chatroom.search import search_store
from chatroom.search.indexer import Indexer
from chatroom.search.search import Search
from chatroom.search.search_store import SearchStore
from chatroom.site.wiring import SiteParts

COLLECTIONS = (
    CollectionModel("search_entries", search_store.INDEXES),
    CollectionModel("search_words"),
    CollectionModel("search_cursors"),
)


class SearchParts:
    """The parts of this package; `threads` has this package's background threads, which only a server starts."""

    def __init__(self, site: SiteParts, people: PeopleParts, messages: MessageParts, rooms: RoomParts) -> None:
        self.store = SearchStore(site.context.database)
        self.indexer = Indexer(self.store, messages.store, site.leases, rooms.store.list_ids)
        self.search = Search(
            self.store,
            messages.store,
            self.indexer,
            rooms_of=rooms.listings.rooms_of,
            find_users=people.directory.find_named,
        )
        self.threads = (self.indexer.thread,)
