"""What a message said before its edits, and what each edit changed.

The earlier texts are a field of the message, so an edit stores them, and a deletion removes them, in one write.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from difflib import SequenceMatcher
from typing import Any, Literal

import msgspec

from chatroom.base.access import Access
from chatroom.base.errors import Refused
from chatroom.base.models import Message

MOST_VERSIONS = 50
MOST_BYTES = 50_000
"""The most bytes of all earlier texts of a message together. The oldest texts are dropped first."""
MOST_COMPARED = 1000
"""The most words and signs that are compared, because the time grows with their square. Longer changes are shown
whole."""
SHOWN_AROUND = 60
"""The characters of unchanged text that are shown before and after a change."""

_parts = re.compile(r"\w+|\s+|[^\w\s]")


class Version(msgspec.Struct, frozen=True):
    """An earlier text of a message, and when it was written."""

    text: str
    written_at: datetime


class Piece(msgspec.Struct, frozen=True):
    """A part of a compared text. `gap` stands for unchanged text that is left out."""

    kind: Literal["same", "removed", "added", "gap"]
    text: str = ""


class Edition(msgspec.Struct, frozen=True):
    """One text of a message, compared with the text before it. `pieces` is empty if that text is not kept."""

    text: str
    written_at: datetime
    pieces: tuple[Piece, ...] = ()
    is_first: bool = False


def may_see_versions(access: Access, message: Message) -> bool:
    """Return whether a user may see what a message said before: its author, and the moderators of the room."""
    return access.may_moderate or message.author.id == access.user_id


def check_versions(access: Access, message: Message) -> None:
    """Raise `Refused` unless the message is there, and the user may see what it said before."""
    is_there = message.kind == "message" and message.deleted_at is None
    if not is_there or message.sequence <= access.room.cleared_sequence:
        raise Refused("not_found", "There is no such message in this room.")
    if not may_see_versions(access, message):
        raise Refused("forbidden", "Only its author and the moderators of the room see what a message said before.")


def add_version(versions: Sequence[Version], message: Message) -> list[dict[str, Any]]:
    """Return the stored versions of a message whose text is about to change. The newest versions are kept."""
    kept: list[Version] = []
    size = 0
    for version in (_current(message), *reversed(versions)):
        size += len(version.text.encode())
        if len(kept) == MOST_VERSIONS or size > MOST_BYTES:
            break
        kept.append(version)
    return [msgspec.structs.asdict(version) for version in reversed(kept)]


def editions_of(message: Message, versions: Sequence[Version]) -> list[Edition]:
    """Return the texts of a message, the newest first, each with what it changed."""
    texts = [*versions, _current(message)]
    first, *later = texts
    editions = [Edition(first.text, first.written_at, is_first=first.written_at == message.sent_at)]
    for before, after in zip(texts, later, strict=False):
        editions.append(Edition(after.text, after.written_at, tuple(_shortened(compare(before.text, after.text)))))
    return editions[::-1]


def compare(before: str, after: str) -> list[Piece]:
    """Return the pieces of two texts, word by word, in the order in which they are read."""
    old, new = _parts.findall(before), _parts.findall(after)
    start = _common(old, new)
    end = _common(old[start:][::-1], new[start:][::-1])
    changed = list(_between(old[start : len(old) - end], new[start : len(new) - end]))
    pieces = [Piece("same", "".join(old[:start])), *changed, Piece("same", "".join(old[len(old) - end :]))]
    return [piece for piece in pieces if piece.text]


def _current(message: Message) -> Version:
    return Version(message.text, message.edited_at or message.sent_at)


def _common(old: Sequence[str], new: Sequence[str]) -> int:
    """Return how many parts at the start are equal."""
    shorter = min(len(old), len(new))
    return next((place for place in range(shorter) if old[place] != new[place]), shorter)


def _between(old: Sequence[str], new: Sequence[str]) -> Iterator[Piece]:
    if len(old) > MOST_COMPARED or len(new) > MOST_COMPARED:
        yield from (Piece("removed", "".join(old)), Piece("added", "".join(new)))
        return
    for tag, left, right, start, end in SequenceMatcher(None, old, new).get_opcodes():
        if tag == "equal":
            yield Piece("same", "".join(old[left:right]))
        else:
            yield from (Piece("removed", "".join(old[left:right])), Piece("added", "".join(new[start:end])))


def _shortened(pieces: Sequence[Piece]) -> Iterator[Piece]:
    """Leave out long unchanged texts, but for what is next to a change."""
    last = len(pieces) - 1
    for place, piece in enumerate(pieces):
        around = SHOWN_AROUND * ((place > 0) + (place < last))
        if piece.kind != "same" or not around or len(piece.text) <= 2 * around:
            yield piece
            continue
        if place > 0:
            yield Piece("same", piece.text[:SHOWN_AROUND])
        yield Piece("gap")
        if place < last:
            yield Piece("same", piece.text[-SHOWN_AROUND:])
