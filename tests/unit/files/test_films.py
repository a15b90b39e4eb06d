import io
import struct

import pytest

from chatroom.base.errors import Refused
from chatroom.files import films
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
def test_the_location_is_removed_and_offsets_stay_the_same(place: bytes, is_first: bool) -> None:
    """B11."""
    content = TYPE + place + FRAMES if is_first else TYPE + FRAMES + place
    after = stripped(content)
    assert SECRET in content
    assert SECRET not in after
    assert b"location" not in after
    assert len(after) == len(content)
    assert after.index(FRAMES) == content.index(FRAMES)


def noting_track(handler: bytes, offsets: bytes, *, runs: bytes, sizes: bytes) -> bytes:
    """A track in which a camera notes where it is, with where its notes lie in the file."""
    table = atom(b"stbl", atom(b"stsc", bytes(4), runs), atom(b"stsz", bytes(4), sizes), offsets)
    return atom(b"trak", atom(b"mdia", atom(b"hdlr", bytes(8), handler, bytes(12)), atom(b"minf", table)))


def numbers(*values: int) -> bytes:
    return struct.pack(f">{len(values)}I", *values)


RUNS = numbers(2, 1, 2, 1, 2, 1, 1)
"""Two notes in the first piece, one in each that follows."""
SIZES = numbers(0, 3, 4, 5, 6)


@pytest.mark.parametrize("handler", [b"meta", b"camm", b"gpmd"])
@pytest.mark.parametrize("is_long", [True, False])
def test_metadata_tracks_are_removed(handler: bytes, is_long: bool) -> None:
    """B11."""
    frames = atom(b"mdat", b"frame", b"GPS1GPS12", b"frame", b"GPS123", b"frame")
    at = len(TYPE) + 8 + 5
    places = struct.pack(">IIQQ" if is_long else ">IIII", 0, 2, at, at + 14)
    noting = noting_track(handler, atom(b"co64" if is_long else b"stco", places), runs=RUNS, sizes=SIZES)
    after = stripped(TYPE + frames + atom(b"moov", HEAD, noting))
    assert after.startswith(TYPE + atom(b"mdat", b"frame", bytes(9), b"frame", bytes(6), b"frame"))
    same = noting_track(handler, atom(b"co64" if is_long else b"stco", places), runs=numbers(1, 1, 1, 1), sizes=SIZES)
    equal = noting_track(handler, atom(b"stco", numbers(0, 1, at)), runs=numbers(1, 1, 3, 1), sizes=numbers(2, 3))
    assert b"frame" + bytes(4) + b"GPS12" in stripped(TYPE + frames + atom(b"moov", same))
    assert b"frame" + bytes(6) + b"S12" in stripped(TYPE + frames + atom(b"moov", equal))


@pytest.mark.parametrize(
    ("places", "runs", "sizes"),
    [
        (numbers(0, 1, 0), RUNS, SIZES),  # not among the frames
        (numbers(0, 1, 2**32 - 1), RUNS, SIZES),
        (numbers(0, 1, 24), numbers(1, 1, 2**32 - 1, 1), numbers(2**32 - 1, 2**32 - 1)),
        (numbers(0, 1, 24), numbers(1, 0, 0, 0), SIZES),
        (numbers(0, 1, 24), b"", b""),
        (b"", RUNS, SIZES),
    ],
)
def test_notes_that_cannot_be_there_are_left(places: bytes, runs: bytes, sizes: bytes) -> None:
    """B11: within the file, and not for ever."""
    content = TYPE + FRAMES + atom(b"moov", HEAD, noting_track(b"gpmd", atom(b"stco", places), runs=runs, sizes=sizes))
    assert stripped(content + b"x").startswith(TYPE + FRAMES)


def test_so_many_notes_are_overwritten(monkeypatch: pytest.MonkeyPatch) -> None:
    """B11: each is looked at by Python."""
    monkeypatch.setattr(films, "MOST_PIECES", 2)
    at = len(TYPE) + 8
    noting = noting_track(
        b"gpmd", atom(b"stco", numbers(0, 3, at, at + 1, at + 2)), runs=RUNS[12:], sizes=numbers(1, 3)
    )
    assert stripped(TYPE + FRAMES + atom(b"moov", noting))[at : at + 3] == b"\0\0a"


def test_that_a_track_is_spherical_is_kept() -> None:
    """Players show the film all around by it."""
    spherical = atom(b"uuid", bytes.fromhex("ffcc8263f8554a938814587a02521fdd"), b"<rdf:SphericalVideo/>")
    assert spherical in stripped(TYPE + atom(b"moov", track(b"vide", spherical)))
    assert spherical not in stripped(TYPE + atom(b"moov", track(b"vide"), spherical))


def test_a_box_without_a_size_ends_with_the_file() -> None:
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
def test_invalid_structures_are_left_unchanged(content: bytes) -> None:
    assert stripped(content) == content


def test_a_video_with_too_many_parts_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """B11: each is looked at by Python."""
    monkeypatch.setattr(films, "MOST_ATOMS", 10)
    with pytest.raises(Refused, match="too many parts"):
        films.strip(io.BytesIO(atom(b"free") * 11))
