"""The wiring of this package."""

from collections.abc import Sequence

from chatroom.export.backup_store import BackupStore
from chatroom.export.export import Exports
from chatroom.export.own_data import Beside, OwnData
from chatroom.messages.wiring import MessageParts
from chatroom.mongo.collections import CollectionModel
from chatroom.people.wiring import PeopleParts
from chatroom.rooms.wiring import RoomParts
from chatroom.search.wiring import SearchParts
from chatroom.site.wiring import SiteParts


class ExportParts:
    """The parts of this package."""

    def __init__(
        self,
        site: SiteParts,
        people: PeopleParts,
        messages: MessageParts,
        rooms: RoomParts,
        *,
        beside: Beside,
        search: SearchParts,
        collections: Sequence[CollectionModel],
    ) -> None:
        """Create the parts; `collections` are all collections of the site."""
        self.exports = Exports(messages.store)
        self.own_data = OwnData(people.sessions, messages.store, rooms, beside=beside, search=search)
        self.backups = BackupStore(site.context.database, collections)
