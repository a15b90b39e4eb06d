"""Remove the camera's metadata from videos: place, device, time.

Each removed part becomes an empty `free` atom of the same size, so that all offsets stay correct.
"""

import struct
import sys
from array import array
from bisect import bisect_right
from collections.abc import Iterator
from itertools import chain
from typing import BinaryIO

import msgspec

from chatroom.base.errors import Refused

TYPES = {"video/mp4", "video/quicktime", "audio/mp4", "video/3gpp", "audio/3gpp", "video/3gpp2", "audio/3gpp2"}
MOST_ATOMS = 50_000
"""The maximum number of atoms in a file."""
REMOVED = {b"udta", b"meta", b"uuid"}
"""Metadata of a video and its tracks: places (`©xyz`, `loci`, `com.apple.quicktime.location.ISO6709`), devices, XMP."""
CONTAINERS = {b"moov", b"trak", b"mdia"}
DATED = {b"mvhd", b"tkhd", b"mdhd"}
HANDLER = b"hdlr"
TELLS_OF_ITSELF = {b"meta", b"camm", b"gpmd"}
"""The types of tracks in which a camera records its position."""
SPHERICAL = bytes.fromhex("ffcc8263f8554a938814587a02521fdd")
"""The `uuid` atom of a 360-degree track, which players need."""
MOST_NOTES = 4_000_000
"""The maximum size in bytes of a sample table. The samples of a larger table are not overwritten."""
MOST_PIECES = 200_000
"""The maximum number of pieces that are overwritten in a file."""
ZEROS = bytes(65_536)


class Atom(msgspec.Struct, frozen=True):
    """A part of the file, with the positions of its start, its content and its end."""

    name: bytes
    start: int
    content: int
    end: int


def strip(file: BinaryIO) -> None:
    """Remove the metadata from a video, in place; raise `Refused` (`invalid`) if it has too many parts."""
    file.seek(0, 2)
    _strip_within(_Reader(file, file.tell()), 0, file.tell())
    file.seek(0)


def strip_part(file: BinaryIO, start: int, end: int) -> None:
    """Remove the metadata from the parts of a video between two positions."""
    _strip_within(_Reader(file, file.seek(0, 2)), start, end)


def find_handlers(file: BinaryIO) -> set[bytes]:
    """Return the types of the tracks (`vide`, `soun`); raise `Refused` (`invalid`) if the file has too many parts."""
    size = file.seek(0, 2)
    reader = _Reader(file, size)
    found = set()
    for atom in _inside(reader, Atom(b"", 0, 0, size), b"moov", b"trak", b"mdia"):
        if atom.name == HANDLER:
            file.seek(atom.content + 8)
            found.add(file.read(4))
    return found


def zero(file: BinaryIO, start: int, end: int) -> None:
    """Overwrite the bytes between two positions."""
    file.seek(start)
    file.writelines(ZEROS[: end - position] for position in range(start, end, len(ZEROS)))


class _Reader:
    """Finds the atoms of a file, within limits on their number and on the bytes to overwrite."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        self.file = file
        self.size = self._bytes_left = size
        self._pieces_left = MOST_PIECES
        self._left = MOST_ATOMS

    def may_empty(self, size: int) -> bool:
        """Count a piece that will be overwritten; return False if a limit is exceeded."""
        self._bytes_left -= size
        self._pieces_left -= 1
        return min(self._bytes_left, self._pieces_left) >= 0

    def atoms(self, start: int, end: int) -> Iterator[Atom]:
        """Yield the atoms between two positions, up to the first invalid atom."""
        while start + 8 <= end:
            self._left -= 1
            if self._left < 0:
                raise Refused("invalid", "The video has too many parts. Save it with another program, and try again.")
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


def _strip_within(reader: _Reader, start: int, end: int, *, depth: int = 0, is_track: bool = False) -> None:
    for atom in list(reader.atoms(start, end)):
        if atom.name == b"trak" and _tells_of_itself(reader, atom):
            _empty_samples(reader, atom)
            _empty(reader.file, atom)
        elif atom.name in REMOVED and not (is_track and _is_spherical(reader, atom)):
            _empty(reader.file, atom)
        elif atom.name in DATED:
            _forget_time(reader.file, atom)
        elif atom.name in CONTAINERS and depth < len(CONTAINERS):
            _strip_within(reader, atom.content, atom.end, depth=depth + 1, is_track=atom.name == b"trak")


def _tells_of_itself(reader: _Reader, track: Atom) -> bool:
    for media in reader.atoms(track.content, track.end):
        if media.name == b"mdia":
            for atom in reader.atoms(media.content, media.end):
                if atom.name == HANDLER:
                    reader.file.seek(atom.content + 8)
                    return reader.file.read(4) in TELLS_OF_ITSELF
    return False


def _is_spherical(reader: _Reader, atom: Atom) -> bool:
    reader.file.seek(atom.content)
    return atom.name == b"uuid" and reader.file.read(len(SPHERICAL)) == SPHERICAL


def _empty_samples(reader: _Reader, track: Atom) -> None:
    """Overwrite the samples of a track; stop at a damaged table, or when the pieces exceed the size of the file."""
    tables = {atom.name: _table(reader, atom) for atom in _inside(reader, track, b"mdia", b"minf", b"stbl")}
    frames = [atom for atom in reader.atoms(0, reader.size) if atom.name == b"mdat"]
    for start, size in _pieces(tables):
        found = bisect_right(frames, start, key=lambda atom: atom.content) - 1
        if not reader.may_empty(size) or found < 0 or start + size > frames[found].end:
            return
        zero(reader.file, start, start + size)


def _inside(reader: _Reader, atom: Atom, *path: bytes) -> Iterator[Atom]:
    for part in list(reader.atoms(atom.content, atom.end)):
        if not path:
            yield part
        elif part.name == path[0]:
            yield from _inside(reader, part, *path[1:])


def _table(reader: _Reader, atom: Atom) -> "array[int]":
    """Return the numbers that follow the version of a table. Each entry of a `co64` table is two numbers."""
    if atom.name not in {b"stsc", b"stsz", b"stco", b"co64"} or atom.end - atom.content > MOST_NOTES:
        return array("I")
    reader.file.seek(atom.content + 4)
    numbers = array("I", reader.file.read(max(0, (atom.end - atom.content) // 4 * 4 - 4)))
    if sys.byteorder == "little":
        numbers.byteswap()
    return numbers


def _pieces(tables: dict[bytes, "array[int]"]) -> Iterator[tuple[int, int]]:
    """Yield the position and the length of each piece of a track."""
    none = array("I")
    runs = tables.get(b"stsc", none)[1:]
    same, left = (tables.get(b"stsz", none) + array("I", (0, 0)))[:2]
    sizes = tables.get(b"stsz", none)[2:]
    long = tables.get(b"co64", none)[1:]
    sample, run = 0, 0
    starts = chain(
        tables.get(b"stco", none)[1:], (high << 32 | low for high, low in zip(long[::2], long[1::2], strict=False))
    )
    for number, start in enumerate(starts, 1):
        while run + 3 < len(runs) and runs[run + 3] <= number:
            run += 3
        count = min(runs[run + 1], left) if len(runs) >= 3 else 0
        yield start, same * count if same else sum(sizes[sample : sample + count])
        left, sample = left - count, sample + count


def _empty(file: BinaryIO, atom: Atom) -> None:
    file.seek(atom.start + 4)
    file.write(b"free")
    zero(file, atom.content, atom.end)


def _forget_time(file: BinaryIO, atom: Atom) -> None:
    """Clear the times of creation and change; the atom's version decides how long these fields are."""
    file.seek(atom.content)
    size = 16 if file.read(1) == b"\1" else 8
    if atom.content + 4 + size <= atom.end:
        file.seek(atom.content + 4)
        file.write(bytes(size))
