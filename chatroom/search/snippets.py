"""The part of a message's text around the matches."""

from collections.abc import Iterator, Sequence

import msgspec

AROUND_HIT = 80
LONGEST_SNIPPET = 260


class SnippetPiece(msgspec.Struct, frozen=True):
    """A part of the text of a message; `hit` if it matches the search."""

    text: str
    is_hit: bool = msgspec.field(name="hit")


def snippet(text: str, places: Sequence[tuple[int, int]]) -> list[SnippetPiece]:
    """Return the text around the first of these places, in pieces; or a short text as a whole."""
    start, end = 0, len(text)
    if len(text) > LONGEST_SNIPPET:
        start = max(0, places[0][0] - AROUND_HIT) if places else 0
        start = text.rfind(" ", 0, start + 1) + 1 if text[max(0, start - 20) : start + 1].count(" ") else start
        end = min(len(text), start + LONGEST_SNIPPET)
    pieces = [SnippetPiece("… ", is_hit=False)] if start else []
    pieces += _marked(text, places, start, end)
    return [*pieces, SnippetPiece(" …", is_hit=False)] if end < len(text) else pieces


def _marked(text: str, places: Sequence[tuple[int, int]], start: int, end: int) -> Iterator[SnippetPiece]:
    at = start
    for first, last in places:
        if last <= at or first >= end:
            continue
        if first > at:
            yield SnippetPiece(text[at:first], is_hit=False)
        yield SnippetPiece(text[max(first, at) : min(last, end)], is_hit=True)
        at = min(last, end)
    if at < end:
        yield SnippetPiece(text[at:end], is_hit=False)
