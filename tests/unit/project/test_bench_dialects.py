"""The mark by which deliveries are counted: whole in every dialect, and nowhere else."""

import json

import pytest

from bench.dialects import MARK, NUMBERED, XMPP, Dialect, Ours, Plain, SocketIO, text, whole

DIALECTS = [Ours(["token"], "run"), SocketIO(), Plain(), XMPP()]


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: type(dialect).__name__)
@pytest.mark.parametrize("is_marked_up", [False, True])
def test_a_post_carries_its_mark_once(dialect: Dialect, is_marked_up: bool) -> None:
    payload = dialect.post("lobby", 42, text(42, marked_up=is_marked_up))
    assert payload.count(MARK) == 1
    assert NUMBERED.findall(payload) == [b"0000042"]
    assert whole(payload) == [42]


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: type(dialect).__name__)
def test_nothing_but_a_text_carries_the_mark(dialect: Dialect) -> None:
    said = b"".join(step.send + step.expect for step in dialect.steps("lobby", 3, None))
    assert MARK not in dialect.request(1234, "lobby", 3, None) + said


def test_a_text_that_was_cut_is_not_whole() -> None:
    assert whole(text(7)[:-1].encode()) == []
    assert whole(text(7).encode().replace(b"0000007", b"0000008")) == []


def test_texts_are_of_one_length_and_not_the_same() -> None:
    said = [text(number) for number in range(1000)]
    assert {len(each) for each in said} == {52}
    assert len({each[12:] for each in said}) == 1000


def test_our_post_is_a_frame_of_our_protocol() -> None:
    frame = json.loads(Ours(["token"], "run").post("lobby", 7, text(7)))
    assert frame == {"type": "post", "room": "lobby", "client_id": "run-7", "text": text(7)}
