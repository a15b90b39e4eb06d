"""Remove the camera's metadata from HEIC and AVIF pictures: EXIF, XMP, and films and other data behind the picture.

The bytes are overwritten in place, so that all offsets stay correct. Pixels, colours and orientation stay.
"""

import struct
from collections.abc import Iterator
from typing import BinaryIO

from chatroom.files import films

TYPES = {"image/heic", "image/heif", "image/avif"}
KEPT = {b"ftyp", b"meta", b"mdat", b"moov", b"free", b"skip", b"mini"}
"""The parts of a picture. Some phones add the film of a motion photo (`mpvd`) and data of their maker."""
MOST_META_BYTES = 4_000_000
MOST_ATOMS = 10_000
METADATA = {b"Exif", b"mime", b"uri "}
"""The types of items that are no pictures. XMP is `mime`."""
NO_EXIF = bytes(4) + b"MM\0*\0\0\0\x08" + bytes(6)
"""An EXIF without entries."""


def strip(file: BinaryIO) -> None:
    """Remove the metadata from a picture, in place."""
    size = file.seek(0, 2)
    end = 0
    for name, start, content, end in _atoms(file, 0, size):
        if name == b"meta" and end - content <= MOST_META_BYTES:
            _strip_items(file, content + 4, end, size)
        elif name == b"moov":  # a sequence of pictures is a film
            films.strip_part(file, content, end)
        elif name not in KEPT:
            file.seek(start + 4)
            file.write(b"free")
            films.zero(file, content, end)
    films.zero(file, end, size)
    file.seek(0)


def _atoms(file: BinaryIO, start: int, end: int) -> Iterator[tuple[bytes, int, int, int]]:
    """Yield the name, the start, the start of the content and the end of each part, up to the first invalid part."""
    for _ in range(MOST_ATOMS):
        file.seek(start)
        head = file.read(16)
        if start + 8 > end or len(head) < 8:
            return
        size, name = struct.unpack_from(">I4s", head)
        content = start + 8
        if size == 1 and len(head) == 16:
            content, size = start + 16, struct.unpack_from(">Q", head, 8)[0]
        following = start + size if size else end
        if not content <= following <= end:
            return
        yield name, start, content, following
        start = following


def _strip_items(file: BinaryIO, start: int, end: int, size: int) -> None:
    parts = {name: (content, stop) for name, _, content, stop in _atoms(file, start, end)}
    if b"iinf" not in parts or b"iloc" not in parts:
        return
    items = dict(_items(file, *parts[b"iinf"]))
    base = {0: 0, 1: parts.get(b"idat", (size, size))[0]}
    content, stop = parts[b"iloc"]
    file.seek(content)
    left = size
    for item, method, position, length in _places(_Numbers(file.read(stop - content))):
        if items.get(item) in METADATA and method in base:
            start = base[method] + position
            emptied = max(0, min(length, size - start, left))
            left -= emptied
            _empty(file, start, emptied, items[item])


def _empty(file: BinaryIO, start: int, length: int, type: bytes) -> None:
    films.zero(file, start, start + length)
    if type == b"Exif" and length >= len(NO_EXIF):
        file.seek(start)
        file.write(NO_EXIF)


def _items(file: BinaryIO, start: int, end: int) -> Iterator[tuple[int, bytes]]:
    """Yield the number and the type of each item."""
    file.seek(start)
    counted = 8 if file.read(1) != b"\0" else 6
    for name, _, content, stop in list(_atoms(file, start + counted, end)):
        file.seek(content)
        entry = file.read(min(stop - content, 14))
        if name == b"infe" and len(entry) >= 12 and entry[0] >= 2:
            width = 4 if entry[0] > 2 else 2
            yield int.from_bytes(entry[4 : 4 + width], "big"), entry[6 + width : 10 + width]


class _Numbers:
    """Reads numbers of varying lengths. After the end of the content, all numbers are 0."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._position = 0

    def is_at_end(self) -> bool:
        return self._position >= len(self._content)

    def next(self, width: int) -> int:
        self._position += width
        return int.from_bytes(self._content[self._position - width : self._position], "big")


def _places(numbers: _Numbers) -> Iterator[tuple[int, int, int, int]]:
    """Yield the item, the method, the position and the length of each piece (the box `iloc`)."""
    version = numbers.next(4) >> 24
    widths = numbers.next(2)
    offset, length, base, index = (widths >> shift & 15 for shift in (12, 8, 4, 0))
    if not length:  # such a piece is the whole file
        return
    for _ in range(numbers.next(4 if version == 2 else 2)):
        if numbers.is_at_end():
            return
        item = numbers.next(4 if version == 2 else 2)
        method = numbers.next(2) & 15 if version else 0
        numbers.next(2)
        start = numbers.next(base)
        for _ in range(numbers.next(2)):
            if numbers.is_at_end():
                return
            numbers.next(index if version else 0)
            yield item, method, start + numbers.next(offset), numbers.next(length)
