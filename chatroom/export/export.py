"""Exports of a room, from its first message to its last.

Messages are read a page at a time, by sequence, so a long room needs little memory.
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
"""The messages that are read at once."""
MOST_AT_ONCE = 4
"""The maximum number of exports that one process writes at a time. A user has at most one."""
INDENT = "\n        "
SKEW = timedelta(hours=1)
"""The maximum difference between the clocks of processes. Messages up to this far outside the range are read."""

_line_ends = regex.compile(r"\r\n?|[\v\f\x85\u2028\u2029]")
_controls = regex.compile(r"[^\P{Cc}\n\t]|\p{Cs}")
_directions = regex.compile(r"[\u202a-\u202e\u2066-\u2069]")
_escaped_in_json = regex.compile(r"[\x7f-\x9f\u200e\u200f\u061c\u2028-\u202e\u2066-\u2069]")


class Days(msgspec.Struct, frozen=True):
    """A range of time: from `since` on, and before `until`. None means no limit."""

    since: datetime | None = None
    until: datetime | None = None

    def has(self, message: Message) -> bool:
        """Return whether a message was sent in this range."""
        return not (
            (self.since is not None and message.sent_at < self.since)
            or (self.until is not None and message.sent_at >= self.until)
        )


class Exports:
    """Reads rooms for exports."""

    def __init__(self, store: MessageStore) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._writing: set[str] = set()

    @contextmanager
    def slot(self, user_id: str) -> Iterator[None]:
        """Let a user export during the block; raise `Refused` (`busy`) if this user, or too many others, already do."""
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
        """Yield the messages of these days, oldest first. Each message has the state that it had when it was read."""
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
    """Raise `Refused` unless this user may export the room."""
    if not access.may_export:
        raise Refused("forbidden", "Only moderators of a room can export it.")


def parse_days(since: str, until: str) -> Days:
    """Return the range from the day `since` to the day `until` (included), in UTC; raise `Refused` if invalid."""
    first, last = _day(since), _day(until)
    if first and last and first > last:
        raise Refused("invalid", "The first day is after the last day. Please swap them.")
    return Days(first, last + timedelta(days=1) if last else None)


def text_lines(room: Room, messages: Iterator[Message], now: datetime) -> Iterator[str]:
    """Yield the room as plain text, with one entry for each message. Times are in UTC."""
    yield f"{_in_one_line(room.title)}\n{'=' * len(room.title)}\nExported {_iso(now)}. Times are in UTC.\n"
    day = None
    for message in messages:
        if message.sent_at.date() != day:
            day = message.sent_at.date()
            yield f"\n--- {day:%A, %-d %B %Y} ---\n"
        yield f"[{_iso(message.sent_at)}] {_said(message)}\n"


def clean(text: str) -> str:
    """Return a text with one kind of line end, and a replacement character for each other control character."""
    replaced: str = _controls.sub("\ufffd", _line_ends.sub("\n", text))
    return replaced


def escape_controls(line: str) -> str:
    """Escape the characters in a line of JSON that end lines in some programs, or that are not visible."""
    escaped: str = _escaped_in_json.sub(lambda found: f"\\u{ord(found[0]):04x}", line)
    return escaped


def _said(message: Message) -> str:
    if message.kind == "event":
        return f"* {_indented(message.text)}"
    name = _in_one_line(message.author.shown)
    if message.deleted_at is not None:
        return f"{name}: (deleted)"
    lines = [_indented(message.text)] if message.text else []
    lines += [f"<file: {_in_one_line(file.name)}, {file.size:,} bytes>" for file in message.files]
    if lines and message.edited_at is not None:
        lines[-1] += " (edited)"
    return f"{name}: " + INDENT.join(lines)


def _indented(text: str) -> str:
    """Return a text whose lines after the first cannot look like another message."""
    return _safe(text).replace("\n", INDENT)


def _in_one_line(text: str) -> str:
    return _safe(text).replace("\n", " ")


def _safe(text: str) -> str:
    """Return a clean text without the characters that change the direction of the text after them."""
    safe: str = _directions.sub("", clean(text))
    return safe


def _iso(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%MZ}"


def _day(text: str) -> datetime | None:
    if not text.strip():
        return None
    try:
        return datetime.strptime(text.strip()[:20], "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError as error:
        raise Refused("invalid", f"“{text[:40]}” is not a date. Write it like 2026-01-31.") from error
