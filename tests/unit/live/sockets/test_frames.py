"""The short way in, held against the websockets library on the same bytes."""

import random
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.extensions.permessage_deflate import PerMessageDeflate
from websockets.frames import Frame, Opcode
from websockets.protocol import SERVER, Protocol, State

from chatroom.live.sockets.frames import COMPRESSED, END, TEXT, Cutter, deflate, framed, inflate

MOST = 1000
CLOSE, PING = Opcode.CLOSE, Opcode.PING


def frame(payload: bytes, opcode: Opcode = Opcode.TEXT, *, fin: bool = True, rsv1: bool = False) -> bytes:
    plain = Frame(opcode, payload, fin).serialize(mask=True)
    return bytes([plain[0] | (COMPRESSED if rsv1 else 0)]) + plain[1:]


def pieces(data: bytes, *, inflates: bool = True, step: int = 0) -> list[str | bytes]:
    """What comes out of a cutter that is fed all at once, or `step` bytes at a time."""
    cutter = Cutter(MOST, inflates=inflates)
    parts = [data[at : at + step] for at in range(0, len(data), step)] if step else [data]
    return [piece for part in parts for piece in cutter.cut(part)]


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 65_535, 65_536, 70_000])
def test_a_header_is_what_the_library_writes(size: int) -> None:
    payload = b"x" * size
    assert framed(payload) == Frame(Opcode.TEXT, payload).serialize(mask=False)
    assert framed(payload, TEXT | COMPRESSED)[1:] == framed(payload)[1:]
    assert framed(payload, TEXT | COMPRESSED)[0] == TEXT | COMPRESSED


@pytest.mark.parametrize("step", [0, 1, 2, 3, 7, 64])
def test_texts_are_complete_for_any_split_of_bytes(step: int) -> None:
    texts = ["", "a", "ü€😀", "x" * 125, "y" * 126, "z" * MOST]
    assert pieces(b"".join(frame(text.encode()) for text in texts), step=step) == texts


def test_compressed_texts_are_decompressed_if_negotiated() -> None:
    packed = frame(deflate(b"hello"), rsv1=True)
    assert pieces(packed) == ["hello"]
    assert pieces(packed, inflates=False) == [packed]


@pytest.mark.parametrize(
    "other",
    [
        frame(b"", PING),
        frame(b"\x03\xe8", CLOSE),
        frame(b"\0", Opcode.BINARY),
        frame(b"\xff"),
        frame(b"\xff", rsv1=True),
        frame(deflate(b" " * (MOST + 1)), rsv1=True),
    ],
    ids=["ping", "close", "binary", "no text", "nothing compressed", "too long once it is open"],
)
def test_all_other_frames_are_passed_on_unchanged(other: bytes) -> None:
    assert pieces(frame(b"before") + other + frame(b"after"), step=5) == ["before", other, "after"]


def test_a_text_in_parts_is_handed_on_with_all_that_may_not_be_between() -> None:
    first, ping, text = frame(b"a", fin=False), frame(b"", PING), frame(b"not now")
    last = frame(b"b", Opcode.CONT)
    assert pieces(first + ping + text + last + frame(b"after")) == [first, ping, text, last, "after"]


def test_invalid_frames_are_passed_on_at_once() -> None:
    too_long = frame(b"x" * (MOST + 1))
    assert pieces(too_long[:4]) == [too_long[:4]]
    assert pieces(b"\x81\x02{}") == [b"\x81\x02{}"]


def test_an_incomplete_frame_can_be_dropped() -> None:
    cutter = Cutter(MOST, inflates=False)
    begun = frame(b"hello")[:-1]
    assert cutter.cut(begun) == []
    assert cutter.release() == begun
    assert cutter.release() == b""


class Library(Protocol):
    """The library, fed with what the cutter hands on, and with everything."""

    def __init__(self) -> None:
        super().__init__(SERVER, state=State.OPEN, max_size=MOST)
        self.extensions = [PerMessageDeflate(True, True, 15, 15)]

    def read(self, data: bytes) -> list[bytes]:
        self.receive_data(data)
        return [bytes(event.data) for event in self.events_received() if isinstance(event, Frame)]


FRAMES = st.one_of(
    st.binary(max_size=40).map(frame),
    st.text(max_size=300).map(lambda text: frame(text.encode())),
    st.text(max_size=300).map(lambda text: frame(deflate(text.encode()), rsv1=True)),
    st.binary(max_size=100).map(lambda data: frame(data, PING)),
    st.binary(max_size=100).map(lambda data: frame(data, fin=False)),
    st.binary(max_size=100).map(lambda data: frame(data, Opcode.CONT)),
    st.binary(max_size=30),
)


@given(st.lists(FRAMES, max_size=8), st.randoms(use_true_random=False))
def test_the_library_would_have_read_the_same(frames: list[bytes], rng: random.Random) -> None:
    data = b"".join(frames)
    whole, rest = Library(), Library()
    expected = whole.read(data)
    cutter, got, at = Cutter(MOST, inflates=True), [], 0
    while at < len(data):
        step = rng.randint(1, 50)
        for piece in cutter.cut(data[at : at + step]):
            if rest.state is State.OPEN:
                got += [piece.encode()] if isinstance(piece, str) else rest.read(piece)
        at += step
    assert got == expected


def test_compressed_texts_are_independent() -> None:
    packed = [deflate(b"the same again") for _ in range(3)]
    assert packed[0] == packed[1] == packed[2]
    for each in packed:
        assert zlib.decompressobj(wbits=-15).decompress(each + END) == b"the same again"


@pytest.mark.parametrize(("size", "opens"), [(MOST, True), (MOST + 1, False), (10_000_000, False)])
def test_it_is_opened_as_far_as_a_frame_may_be_long(size: int, opens: bool) -> None:
    assert (inflate(deflate(b" " * size), MOST) is not None) == opens


def test_compressed_texts_are_opened_a_few_at_a_time() -> None:
    """L13, W10: a read of 64 kB may hold hundreds of 64 kB each."""
    payload = deflate(b" " * 50_000)
    frame = bytes((TEXT | COMPRESSED, 0x80 | 126, 0, len(payload), 0, 0, 0, 0)) + payload
    assert 125 < len(payload) < 256
    cutter = Cutter(65_536, inflates=True)
    pieces = cutter.cut(frame * 100)
    assert len(pieces) == 2
    count = 2
    while cutter.has_more:
        assert cutter.waiting == (100 - count) * len(frame)
        count += len(cutter.cut(b""))
    assert count == 100
    assert cutter.waiting == 0
