import io
import struct

import pytest

from chatroom import films
from chatroom.errors import Refused
from tests.pictures import SECRET

TIMES = b"\xca\xfe\xba\xbe" * 2
LONG_TIMES = TIMES * 2


def atom(name: bytes, *content: bytes) -> bytes:
    body = b"".join(content)
    return struct.pack(">I4s", 8 + len(body), name) + body


def long_atom(name: bytes, *content: bytes) -> bytes:
    body = b"".join(content)
    return struct.pack(">I4sQ", 1, name, 16 + len(body)) + body


def track(handler: bytes, *more: bytes) -> bytes:
    media = atom(b"mdia", atom(b"mdhd", b"\0\0\0\0", TIMES, b"rest"), atom(b"hdlr", bytes(8), handler, bytes(12)))
    return atom(b"trak", atom(b"tkhd", b"\1\0\0\0", LONG_TIMES, b"rest"), media, *more)


TYPE = atom(b"ftyp", b"isom")
FRAMES = atom(b"mdat", b"frames of udta and meta")
HEAD = atom(b"mvhd", b"\0\0\0\0", TIMES, b"rest")
PLACE = atom(b"udta", atom(b"\xa9xyz", SECRET), atom(b"loci", SECRET))
KEYS = atom(b"meta", atom(b"keys", b"com.apple.quicktime.location.ISO6709"), atom(b"ilst", SECRET))


def stripped(content: bytes) -> bytes:
    file = io.BytesIO(content)
    films.strip(file)
    assert file.tell() == 0
    return file.getvalue()


@pytest.mark.parametrize(
    "place",
    [
        atom(b"moov", HEAD, PLACE, track(b"vide")),
        atom(b"moov", HEAD, KEYS, track(b"vide")),
        atom(b"moov", HEAD, track(b"vide", PLACE), track(b"soun", KEYS)),
        atom(b"moov", HEAD, track(b"meta", atom(b"name", SECRET))),
        long_atom(b"moov", HEAD, long_atom(b"udta", SECRET)),
        atom(b"moov", HEAD) + KEYS,
        atom(b"moov", HEAD) + atom(b"uuid", b"x" * 16, SECRET),
    ],
)
@pytest.mark.parametrize("is_first", [True, False])
def test_where_it_was_filmed_is_lost_and_nothing_moves(place: bytes, is_first: bool) -> None:
    """B11."""
    content = TYPE + place + FRAMES if is_first else TYPE + FRAMES + place
    after = stripped(content)
    assert SECRET in content
    assert SECRET not in after
    assert b"location" not in after
    assert len(after) == len(content)
    assert after.index(FRAMES) == content.index(FRAMES)


def test_what_reaches_to_the_end_of_the_file_ends_there() -> None:
    """B11."""
    assert stripped(TYPE + b"\0\0\0\0udta" + SECRET) == TYPE + b"\0\0\0\0free" + bytes(len(SECRET))


def test_when_it_was_filmed_is_lost() -> None:
    """B11."""
    content = TYPE + atom(b"moov", HEAD, track(b"vide")) + FRAMES
    after = stripped(content)
    assert content.count(TIMES) == 4
    assert TIMES not in after
    assert after.count(b"rest") == 3
    assert stripped(after) == after


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"abc",
        TYPE,
        struct.pack(">I4s", 4, b"moov"),
        struct.pack(">I4s", 1, b"moov"),
        struct.pack(">I4sQ", 1, b"moov", 3),
        struct.pack(">I4s", 2**31, b"moov") + b"x",
        atom(b"moov", atom(b"mvhd", b"\0")),
        atom(b"moov", atom(b"moov", atom(b"moov", atom(b"moov", atom(b"moov"))))),
    ],
)
def test_what_makes_no_sense_is_left(content: bytes) -> None:
    assert stripped(content) == content


def test_one_of_too_many_parts_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """B11: each is looked at by Python."""
    monkeypatch.setattr(films, "MOST_ATOMS", 10)
    with pytest.raises(Refused, match="too many parts"):
        films.strip(io.BytesIO(atom(b"free") * 11))
