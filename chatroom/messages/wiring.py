"""Create the parts of this package, and name its collection."""

from collections.abc import Callable

from chatroom.base.access import Access
from chatroom.files.wiring import FileParts
from chatroom.messages import messages_store
from chatroom.messages.appending import Appending
from chatroom.messages.changes import Changes
from chatroom.messages.history import History
from chatroom.messages.mentions import FindPeople, Mentions
from chatroom.messages.messages_store import MessageStore
from chatroom.messages.posting import Holding, Posting
from chatroom.messages.rules import RoomRules, TakeTurn
from chatroom.messages.texts import Texts
from chatroom.messages.writer import Line, Writer
from chatroom.mongo.collections import CollectionModel
from chatroom.site.wiring import SiteParts

COLLECTIONS = (CollectionModel("messages", messages_store.INDEXES, "kept", ("files.files", "rooms", "users")),)


class MessageParts:
    """The parts of the package."""

    def __init__(
        self,
        site: SiteParts,
        files: FileParts,
        *,
        line: Line,
        find_people: FindPeople,
        take_turn: TakeTurn,
        is_newcomer: Callable[[Access], bool],
        holding: Holding,
    ) -> None:
        """Create the parts. `line` passes writes to the running engine."""
        context, attached = site.context, files.of_messages
        self.store = MessageStore(context.database, origin=context.origin)
        self.texts = Texts(context.settings.max_message_length, Mentions(find_people).find)
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
