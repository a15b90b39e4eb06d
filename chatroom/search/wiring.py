"""The parts of this package, made once, and its collections."""

from collections.abc import Sequence
from typing import Protocol

import msgspec

from chatroom.messages.wiring import MessageParts
from chatroom.mongo.collections import CollectionModel
from chatroom.mongo.context import Context
from chatroom.people.wiring import PeopleParts
from chatroom.rooms.wiring import RoomParts
from chatroom.search import search_store
from chatroom.search.indexer import Indexer
from chatroom.search.search import Search
from chatroom.search.search_store import SearchStore
from chatroom.site.background import BackgroundThread
from chatroom.site.wiring import SiteParts

COLLECTIONS = (
    CollectionModel("search_entries", search_store.INDEXES),
    CollectionModel("search_words"),
    CollectionModel("search_cursors"),
)


class SearchParts(msgspec.Struct, frozen=True):
    """What the package offers; `threads` are what it does in the background while a server runs."""

    store: SearchStore
    indexer: Indexer
    search: Search
    threads: Sequence[BackgroundThread]


class Below(Protocol):
    """The packages below that this one works with."""

    site: SiteParts
    people: PeopleParts
    messages: MessageParts
    rooms: RoomParts


def make(context: Context, below: Below) -> SearchParts:
    """Wire the package."""
    site, people, messages, rooms = below.site, below.people, below.messages, below.rooms
    store = SearchStore(context.database)
    indexer = Indexer(store, messages.store, site.leases, rooms.store.list_ids)
    find_user, rooms_of = people.users.find_by_name, rooms.listings.rooms_of
    search = Search(store, messages.store, indexer, rooms_of=rooms_of, find_user=find_user)
    return SearchParts(store=store, indexer=indexer, search=search, threads=(indexer.thread,))
