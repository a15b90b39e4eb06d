"""Films without what a camera wrote into them: place, device, time.

Nothing moves: what is taken out becomes an empty `free` atom of the same size, so that all offsets stay right.
"""

import struct
from collections.abc import Iterator
from typing import BinaryIO

import msgspec

from chatroom.errors import Refused

TYPES = {"video/mp4", "video/quicktime", "audio/mp4"}
MOST_ATOMS = 50_000
"""That are looked at in one file."""
REMOVED = {b"udta", b"meta", b"uuid"}
"""Of the film and its tracks: places (`©xyz`, `loci`, `com.apple.quicktime.location.ISO6709`), devices, titles, XMP."""
CONTAINERS = {b"moov", b"trak", b"mdia"}
DATED = {b"mvhd", b"tkhd", b"mdhd"}
HANDLER = b"hdlr"
TELLS_OF_ITSELF = {b"meta", b"camm", b"gpmd"}
"""Tracks in which a camera notes where it is while it films."""
ZEROS = bytes(65_536)


class Atom(msgspec.Struct, frozen=True):
    """A part of the file: where it begins, where its content does, and where it ends."""

    name: bytes
    start: int
    content: int
    end: int


def strip(file: BinaryIO) -> None:
    """Take it out of a film, in place; raise `Refused` (`invalid`) for one of too many parts."""
    file.seek(0, 2)
    _strip_within(_Reader(file), 0, file.tell())
    file.seek(0)


class _Reader:
    """Finds the atoms of a file, up to a bound."""

    def __init__(self, file: BinaryIO) -> None:
        self.file = file
        self._left = MOST_ATOMS

    def atoms(self, start: int, end: int) -> Iterator[Atom]:
        """Those between two places, as far as they make sense."""
        while start + 8 <= end:
            self._left -= 1
            if self._left < 0:
                raise Refused("invalid", "The film has too many parts: save it anew, and try again.")
            self.file.seek(start)
            head = self.file.read(16)
            size, name = struct.unpack_from(">I4s", head)
            content = start + 8
            if size == 1 and len(head) == 16:
                content, size = start + 16, struct.unpack_from(">Q", head, 8)[0]
            following = start + size if size else end
            if following < content:
                return
            yield Atom(name, start, content, min(following, end))
            start = following


def _strip_within(reader: _Reader, start: int, end: int, *, depth: int = 0) -> None:
    for atom in list(reader.atoms(start, end)):
        if atom.name in REMOVED or (atom.name == b"trak" and _tells_of_itself(reader, atom)):
            _empty(reader.file, atom)
        elif atom.name in DATED:
            _forget_time(reader.file, atom)
        elif atom.name in CONTAINERS and depth < len(CONTAINERS):
            _strip_within(reader, atom.content, atom.end, depth=depth + 1)


def _tells_of_itself(reader: _Reader, track: Atom) -> bool:
    for media in reader.atoms(track.content, track.end):
        if media.name == b"mdia":
            for atom in reader.atoms(media.content, media.end):
                if atom.name == HANDLER:
                    reader.file.seek(atom.content + 8)
                    return reader.file.read(4) in TELLS_OF_ITSELF
    return False


def _empty(file: BinaryIO, atom: Atom) -> None:
    file.seek(atom.start + 4)
    file.write(b"free")
    file.seek(atom.content)
    file.writelines(ZEROS[: atom.end - position] for position in range(atom.content, atom.end, len(ZEROS)))


def _forget_time(file: BinaryIO, atom: Atom) -> None:
    """Of the two times, when it was made and changed; how long they are is told by the atom's version."""
    file.seek(atom.content)
    size = 16 if file.read(1) == b"\1" else 8
    if atom.content + 4 + size <= atom.end:
        file.seek(atom.content + 4)
        file.write(bytes(size))
