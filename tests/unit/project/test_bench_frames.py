"""The bench speaks websocket by itself; what it cuts wrongly it would count wrongly."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.frames import PING, TEXT, Decoder, encode


def server_frame(payload: bytes, opcode: int = TEXT) -> bytes:
    """What a server sends is what a client sends, without the mask."""
    masked = encode(payload, opcode)
    head = len(masked) - len(payload) - 4
    return bytes((masked[0], masked[1] & 0x7F)) + masked[2:head] + payload


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 65535, 65536, 200_000])
def test_every_size_of_frame_comes_out_whole(size: int) -> None:
    payload = b"x" * size
    assert list(Decoder().feed(server_frame(payload))) == [(TEXT, payload)]


@given(
    payloads=st.lists(st.binary(max_size=300), max_size=8),
    cuts=st.lists(st.integers(min_value=1, max_value=50), min_size=1),
)
def test_frames_come_out_whole_however_the_stream_is_cut(payloads: list[bytes], cuts: list[int]) -> None:
    stream = b"".join(map(server_frame, payloads))
    decoder, found, at, turn = Decoder(), [], 0, 0
    while at < len(stream):
        size = cuts[turn % len(cuts)]
        found += decoder.feed(stream[at : at + size])
        at, turn = at + size, turn + 1
    assert [payload for _, payload in found] == payloads
    assert decoder.between_frames


def test_half_a_frame_is_kept() -> None:
    decoder = Decoder()
    assert list(decoder.feed(server_frame(b"hello", PING)[:4])) == []
    assert not decoder.between_frames
    assert list(decoder.feed(server_frame(b"hello", PING)[4:])) == [(PING, b"hello")]


def test_a_client_masks_with_zeros() -> None:
    assert encode(b"hi") == b"\x81\x82\0\0\0\0hi"
