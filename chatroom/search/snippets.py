"""The part of a message's text around the matches."""

from collections.abc import Iterator, Sequence

import msgspec

AROUND_HIT = 80
LONGEST_SNIPPET = 260


class Piece(msgspec.Struct, frozen=True):
    """A part of a snippet; `is_hit` for a match."""

    text: str
    is_hit: bool


def snippet(text: str, places: Sequence[tuple[int, int]]) -> list[Piece]:
    """The text around the first of these places, in pieces; all of a short text."""
    start, end = 0, len(text)
    if len(text) > LONGEST_SNIPPET:
        start = max(0, places[0][0] - AROUND_HIT) if places else 0
        start = text.rfind(" ", 0, start + 1) + 1 if text[max(0, start - 20) : start + 1].count(" ") else start
        end = min(len(text), start + LONGEST_SNIPPET)
    pieces = [Piece("… ", is_hit=False)] if start else []
    pieces += _marked(text, places, start, end)
    return [*pieces, Piece(" …", is_hit=False)] if end < len(text) else pieces


def _marked(text: str, places: Sequence[tuple[int, int]], start: int, end: int) -> Iterator[Piece]:
    at = start
    for first, last in places:
        if last <= at or first >= end:
            continue
        if first > at:
            yield Piece(text[at:first], is_hit=False)
        yield Piece(text[max(first, at) : min(last, end)], is_hit=True)
        at = min(last, end)
    if at < end:
        yield Piece(text[at:end], is_hit=False)
