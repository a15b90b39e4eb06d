"""The parts of this package, made once, and its collection."""

from collections.abc import Callable

import msgspec

from chatroom.base.access import Access
from chatroom.files.wiring import FileParts
from chatroom.messages import messages_store
from chatroom.messages.changes import Changes
from chatroom.messages.mentions import FindPeople, Mentions
from chatroom.messages.messages_store import MessageStore
from chatroom.messages.posting import Messages
from chatroom.mongo.collections import CollectionModel
from chatroom.mongo.context import Context
from chatroom.site.wiring import SiteParts

COLLECTIONS = (CollectionModel("messages", messages_store.INDEXES, "kept", ("files.files", "rooms", "users")),)


class MessageParts(msgspec.Struct, frozen=True):
    """What the package offers."""

    store: MessageStore
    posting: Messages
    changes: Changes


def make(
    context: Context,
    site: SiteParts,
    files: FileParts,
    *,
    find_people: FindPeople,
    check_editing: Callable[[Access], None],
) -> MessageParts:
    """Wire the package. `find_people` finds who is named in a room; `check_editing` refuses who may not edit yet."""
    store = MessageStore(context.database, origin=context.origin)
    posting = Messages(
        store,
        max_length=context.settings.max_message_length,
        files=files.of_messages,
        acts=site.acts,
        find_mentions=Mentions(find_people).find,
        check_editing=check_editing,
    )
    return MessageParts(store, posting, posting.changes)
