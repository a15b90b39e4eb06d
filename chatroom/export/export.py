"""Read a room from beginning to end for an export.

One page at a time, by sequence: little of the room is in memory, however long it is.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import msgspec
import regex

from chatroom.base.access import Access
from chatroom.base.errors import Refused
from chatroom.base.models import Message, Room
from chatroom.messages.messages_store import MessageStore

PAGE = 500
"""Messages that are read, and held, at once."""
MOST_AT_ONCE = 4
"""Exports that one process writes at the same time, and no two for one person."""
SKEW = timedelta(hours=1)
"""By how much the clocks of a site's processes may differ: a day is looked for so much more widely."""

_unsafe = regex.compile(r"[^\P{Cc}\n\t]|[\u202a-\u202e\u2066-\u2069\u2028\u2029]")


class Days(msgspec.Struct, frozen=True):
    """From a moment on, and before another; None is open."""

    since: datetime | None = None
    until: datetime | None = None

    def has(self, message: Message) -> bool:
        """Whether a message was sent then."""
        return not (
            (self.since is not None and message.sent_at < self.since)
            or (self.until is not None and message.sent_at >= self.until)
        )


class Exports:
    """Read rooms for people who may export them."""

    def __init__(self, store: MessageStore) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._writing: set[str] = set()

    @contextmanager
    def slot(self, user_id: str) -> Iterator[None]:
        """One of the few exports that run at the same time; raises `Refused` (`busy`) when there is none free."""
        with self._lock:
            if user_id in self._writing:
                raise Refused("busy", "You already have a download running. Please wait for it.", retry_after=10.0)
            if len(self._writing) >= MOST_AT_ONCE:
                raise Refused("busy", "Too many exports are running. Please try again later.", retry_after=10.0)
            self._writing.add(user_id)
        try:
            yield
        finally:
            with self._lock:
                self._writing.discard(user_id)

    def read(self, room: Room, days: Days) -> Iterator[Message]:
        """The room's messages of these days, oldest first, each as it is when its page is read."""
        sequence = self._store.first_since(room.id, days.since - SKEW) if days.since else 0
        sequence = max(sequence, room.cleared_sequence + 1)
        stop_at = days.until + SKEW if days.until else None
        while True:
            page = self._store.since(room.id, sequence, PAGE)
            yield from filter(days.has, page)
            if len(page) < PAGE or (stop_at is not None and page[-1].sent_at > stop_at):
                return
            sequence = page[-1].sequence + 1


def check_export(access: Access) -> None:
    """Raise `Refused` unless this person may take the room away."""
    if not access.may_export:
        raise Refused("forbidden", "Only moderators of a room can export it.")


def parse_days(since: str, until: str) -> Days:
    """The days from one to another, both included, in UTC; raise `Refused` for what is no day."""
    first, last = _day(since), _day(until)
    if first and last and first > last:
        raise Refused("invalid", "The first day is after the last day. Please swap them.")
    return Days(first, last + timedelta(days=1) if last else None)


def text_lines(room: Room, messages: Iterator[Message], now: datetime) -> Iterator[str]:
    """The room as plain text: a line a message, what a message has more of indented; times in UTC."""
    yield f"{safe(room.title)}\n{'=' * len(room.title)}\nExported {now:%Y-%m-%d %H:%M}. Times are in UTC.\n"
    day = None
    for message in messages:
        if message.sent_at.date() != day:
            day = message.sent_at.date()
            yield f"\n--- {day:%A, %-d %B %Y} ---\n"
        yield f"[{message.sent_at:%H:%M}] {_said(message)}\n"


def safe(text: str) -> str:
    """A text without what moves a terminal's cursor or turns the direction of a line."""
    replaced: str = _unsafe.sub("\ufffd", text)
    return replaced


def _said(message: Message) -> str:
    if message.kind == "event":
        return f"* {safe(message.text)}"
    name = safe(message.author.shown)
    if message.deleted_at is not None:
        return f"{name}: (deleted)"
    lines = safe(message.text).split("\n") if message.text else []
    lines += [f"<file: {safe(file.name)}, {file.size:,} bytes>" for file in message.files]
    if lines and message.edited_at is not None:
        lines[-1] += " (edited)"
    return f"{name}: " + "\n        ".join(lines)


def _day(text: str) -> datetime | None:
    if not text.strip():
        return None
    try:
        return datetime.strptime(text.strip()[:20], "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError as error:
        raise Refused("invalid", f"“{text[:40]}” is not a date. Write it like 2026-01-31.") from error
