"""What happened, as the clients saw it, and what the database holds in the end: plain values, one JSON line each.

All times are seconds of one monotonic clock, since the run began. A text is known by its hash alone.
"""

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import IO, Literal

import msgspec

Kind = Literal["post", "edit", "delete", "see", "cursor", "connect", "lost", "fault", "healed", "done"]
Outcome = Literal["", "tried", "ok", "failed", "unknown"]
HARNESS = "harness"


class Event(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One line of a client's log, in the order in which the client did things.

    `see` is one message of a `changes` frame or of a page, and `cursor` what the client holds after it has taken the
    whole of it. `hash` is empty for a deleted message.
    """

    time: float
    who: str
    kind: Kind
    outcome: Outcome = ""
    author: str = ""
    client_id: str = ""
    id: str = ""
    sequence: int = 0
    revision: int = 0
    hash: str = ""
    connection: int = 0
    reason: str = ""


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """A message as the database has it after the run; `revisions` are all that it ever had."""

    id: str
    sequence: int
    revision: int
    revisions: tuple[int, ...]
    author: str
    client_id: str
    hash: str


def hash_of(text: str | None) -> str:
    """Sixteen digits that stand for a text; nothing for the text of a deleted message."""
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest() if text else ""


class Journal:
    """A client's log: every line is written out when the run may end at any moment."""

    def __init__(self, path: Path) -> None:
        self._file: IO[bytes] = path.open("wb")
        self._encoder = msgspec.json.Encoder()

    def write(self, event: Event) -> None:
        """Add a line."""
        self._file.write(self._encoder.encode(event) + b"\n")

    def close(self) -> None:
        """Write out what is buffered."""
        self._file.close()


def write_lines(path: Path, values: Iterable[msgspec.Struct]) -> None:
    """Write values as JSON lines."""
    encoder = msgspec.json.Encoder()
    with path.open("wb") as file:
        for value in values:
            file.write(encoder.encode(value) + b"\n")


def read_events(folder: Path) -> list[Event]:
    """Every line of every log in a folder, by time; lines of one client keep their order."""
    decoder = msgspec.json.Decoder(Event)
    events: list[Event] = []
    for path in sorted(folder.glob("*.log")):
        with path.open("rb") as file:
            events.extend(decoder.decode(line) for line in file)
    return sorted(events, key=lambda event: event.time)


def read_documents(path: Path) -> list[Document]:
    """The dump of the database."""
    decoder = msgspec.json.Decoder(Document)
    with path.open("rb") as file:
        return [decoder.decode(line) for line in file]
