"""The parts of `chatroom/messages/` over a store, wired as the application does, and shorter ways to use them."""

from collections.abc import Callable, Sequence
from typing import Any

from chatroom.base.access import Access
from chatroom.base.clock import Clock, utc_now
from chatroom.base.models import Author, Draft, Message, Person, Room, make_client_id
from chatroom.files.message_files import MessageFiles
from chatroom.live.bridge import Bridge
from chatroom.messages.appending import Appending
from chatroom.messages.changes import Changes
from chatroom.messages.history import History
from chatroom.messages.messages_store import MessageStore, Stored
from chatroom.messages.posting import Holding, Posting
from chatroom.messages.rules import RoomRules, TakeTurn
from chatroom.messages.texts import Texts
from chatroom.messages.writer import Change, Line, Writer
from chatroom.services import Services
from chatroom.site.acts import Acts
from tests.databases import make_acts

HOLDS_NOTHING = Holding(
    may_hold=lambda _access: False, find=lambda _access, _client_id: None, hold=lambda _access, _draft: None
)


class NoFiles:
    """A store without files."""

    def attach(self, room: Room, draft: Draft, file_ids: Sequence[str]) -> Draft:
        return draft


class Messaging:
    """The parts of `messages` that tests of other packages need."""

    def __init__(
        self,
        store: MessageStore,
        *,
        max_length: int = 4000,
        find_mentions: Callable[[Access, str], tuple[Person, ...]] = lambda _access, _text: (),
        files: MessageFiles | None = None,
        acts: Acts | None = None,
        count: Callable[[str, str], None] = lambda _user_id, _address: None,
        holding: Holding = HOLDS_NOTHING,
        line: Line | None = None,
        clock: Clock = utc_now,
        **rules: Any,
    ) -> None:
        self.store = store
        self.texts = Texts(max_length, find_mentions)
        self.appending = Appending(store, self.texts)
        self.writer = Writer(self.appending, line or Bridge())
        self.history = History(store)
        self.rules = make_rules(clock=clock, **rules)
        attached: Any = files or NoFiles()
        acts = acts or make_acts(store._database, clock=clock)
        self.changes = Changes(store, self.texts, self.rules, self.writer, files=attached, acts=acts, clock=clock)
        self.posting = Posting(
            self.writer,
            store,
            self.texts,
            self.rules,
            count=count,
            files=attached,
            holding=holding,
        )

    def append(self, room_id: str, drafts: Sequence[Draft], after: int | None = None) -> list[Stored]:
        return self.appending.append(room_id, drafts, after)

    def post(self, room: Room, draft: Draft) -> Stored:
        return self.writer.post(room, draft)

    def change(self, room: Room, change: Change) -> Message:
        return self.writer.change(room, change)


def make_rules(
    *,
    take_turn: TakeTurn = lambda _user_id, _room, _client_id, _seconds: 0.0,
    is_newcomer: Callable[[Access], bool] = lambda _access: False,
    clock: Clock = utc_now,
) -> RoomRules:
    """The rules of rooms, without slow mode and newcomers unless they are given."""
    return RoomRules(take_turn=take_turn, is_newcomer=is_newcomer, clock=clock)


def new_draft(author: Author, text: str, client_id: str | None = None, *, reply_to: int | None = None) -> Draft:
    """Make a draft as posting does."""
    return Draft(author=author, text=text, client_id=client_id or make_client_id(), reply_to=reply_to)


def append(services: Services, room_id: str, drafts: Sequence[Draft]) -> list[Stored]:
    """Append messages in one write, without the checks of posting."""
    return Appending(services.messages.store, services.messages.texts).append(room_id, drafts)
