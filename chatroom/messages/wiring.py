"""Create the parts of this package, and name its collection."""

from collections.abc import Callable, Sequence

import msgspec

from chatroom.base.access import Access
from chatroom.base.models import Person
from chatroom.files.wiring import FileParts
from chatroom.messages import messages_store
from chatroom.messages.appending import Appending
from chatroom.messages.changes import Changes
from chatroom.messages.history import History
from chatroom.messages.mentions import FindPeople, Mentions
from chatroom.messages.messages_store import MessageStore
from chatroom.messages.posting import Holding, Posting
from chatroom.messages.room_links import FindReadable, RoomNames
from chatroom.messages.rules import RoomRules, TakeTurn
from chatroom.messages.texts import Texts
from chatroom.messages.writer import Line, Writer
from chatroom.mongo.collections import CollectionModel
from chatroom.site.wiring import SiteParts

COLLECTIONS = (CollectionModel("messages", messages_store.INDEXES, "kept", ("files.files", "rooms", "users")),)


class Directory(msgspec.Struct, frozen=True, kw_only=True):
    """The functions that find the people and rooms whom a text names (of the packages above)."""

    find_people: FindPeople
    find_here: Callable[[str], Sequence[Person]]
    find_rooms: FindReadable


class MessageParts:
    """The parts of the package."""

    def __init__(
        self,
        site: SiteParts,
        files: FileParts,
        *,
        line: Line,
        directory: Directory,
        take_turn: TakeTurn,
        is_newcomer: Callable[[Access], bool],
        holding: Holding,
    ) -> None:
        """Create the parts. `line` passes writes to the running engine."""
        context, attached = site.context, files.of_messages
        self.store = MessageStore(context.database, origin=context.origin)
        mentions = Mentions(directory.find_people, directory.find_here)
        rooms = RoomNames(directory.find_rooms)
        self.texts = Texts(context.settings.max_message_length, mentions.find, mentions.find_unreached, rooms.find)
        self.rules = RoomRules(take_turn=take_turn, is_newcomer=is_newcomer)
        self.writer = Writer(Appending(self.store, self.texts), line)
        self.posting = Posting(
            self.writer,
            self.store,
            self.texts,
            self.rules,
            count=site.limits.posting.check,
            files=attached,
            holding=holding,
        )
        self.changes = Changes(self.store, self.texts, self.rules, self.writer, files=attached, acts=site.acts)
        self.history = History(self.store)
