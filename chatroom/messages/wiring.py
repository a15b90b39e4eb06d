"""The parts of this package, made once, and its collection."""

from collections.abc import Callable
from typing import Protocol

import msgspec

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
from chatroom.mongo.context import Context
from chatroom.site.wiring import SiteParts

COLLECTIONS = (CollectionModel("messages", messages_store.INDEXES, "kept", ("files.files", "rooms", "users")),)


class Above(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked of the packages above: who is named in a room, slow mode, who is a newcomer, what is held."""

    find_people: FindPeople
    take_turn: TakeTurn
    is_newcomer: Callable[[Access], bool]
    holding: Holding


class MessageParts(msgspec.Struct, frozen=True, kw_only=True):
    """What the package offers."""

    store: MessageStore
    texts: Texts
    rules: RoomRules
    writer: Writer
    posting: Posting
    changes: Changes
    history: History


class Below(Protocol):
    """The packages below that this one works with."""

    site: SiteParts
    files: FileParts


def make(context: Context, below: Below, *, line: Line, above: Above) -> MessageParts:
    """Wire the package. `line` leads to the engine while it runs."""
    store = MessageStore(context.database, origin=context.origin)
    texts = Texts(context.settings.max_message_length, find_mentions=Mentions(above.find_people).find)
    rules = RoomRules(take_turn=above.take_turn, is_newcomer=above.is_newcomer)
    writer = Writer(Appending(store, texts), line)
    return MessageParts(
        store=store,
        texts=texts,
        rules=rules,
        writer=writer,
        posting=Posting(
            writer,
            store,
            texts,
            rules,
            count=below.site.limits.posting.check,
            files=below.files.of_messages,
            holding=above.holding,
        ),
        changes=Changes(store, texts, rules, writer, files=below.files.of_messages, acts=below.site.acts),
        history=History(store),
    )
