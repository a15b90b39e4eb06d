"""Remove comments and application data from GIFs."""

from collections.abc import Iterator

TRAILER = b";"
LOOP = b"NETSCAPE2.0"
EXTENSION, IMAGE = 0x21, 0x2C
GRAPHIC_CONTROL, APPLICATION = 0xF9, 0xFF
HEAD_BYTES = 13
LOOP_BYTES = 19
"""The length of the extension that sets the number of repetitions."""


def strip(content: bytes) -> bytes:
    """Return a GIF without comments, texts and application data, but with the number of repetitions."""
    start = HEAD_BYTES + _colours(content[10])
    return b"".join((content[:start], *_kept(content, start), TRAILER))


def _kept(content: bytes, position: int) -> Iterator[bytes]:
    while position + 2 <= len(content) and content[position] in {EXTENSION, IMAGE}:
        if content[position] == IMAGE:
            following = _image_end(content, position)
            yield content[position:following]
        else:
            following = _blocks_end(content, position + 2)
            yield _extension(content[position:following])
        position = following


def _extension(block: bytes) -> bytes:
    if block[1] == GRAPHIC_CONTROL:
        return block
    if block[1] == APPLICATION and block[3:14] == LOOP and len(block) >= LOOP_BYTES and block[14:16] == b"\3\1":
        return block[: LOOP_BYTES - 1] + b"\0"
    return b""


def _image_end(content: bytes, position: int) -> int:
    if position + 10 > len(content):
        return len(content)
    return _blocks_end(content, position + 11 + _colours(content[position + 9]))


def _blocks_end(content: bytes, position: int) -> int:
    """Return the position after the blocks that begin at `position`, at most the end of the file."""
    while position < len(content) and content[position]:
        position += 1 + content[position]
    return min(position + 1, len(content))


def _colours(flags: int) -> int:
    """Return the length of the colour table that the flags announce."""
    return 3 * 2 ** ((flags & 7) + 1) if flags & 0x80 else 0
