"""The places where a text contains a term of a query: words, emoji, and the marks between them.

Marks are compared as they were typed, except where people write them in several ways: with a straight or a curly
quote, `e-mail` and `e mail`, `50%` and `50 %`.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Literal, NamedTuple

import regex

from chatroom.base.errors import Refused
from chatroom.messages.markdown.emoji import replace_shortcodes
from chatroom.search.terms import (
    LONGEST_WORD,
    Unit,
    codes_in,
    fold_marks,
    index_entries,
    is_run,
    signs_in,
    split,
)

SHORTEST_BEGINNING = 2
"""A shorter word in a query finds only equal words, not longer ones."""
MOST_MARKS = 20
"""More marks in a row are refused, because looking for them takes too long."""
KEPT_PATTERNS = 500

_tones = regex.compile(r"[\U0001f3fb-\U0001f3ff]")
_between = regex.compile(r"[-'\s]?")
_formatting = regex.compile(r"[\s*_`~]*")
_spaced = regex.compile(r"[\p{Sc}%‰°№§¶]\Z|\A[\p{Sc}%‰°№§¶]")
"""Signs that some people separate from the number with a space."""
_operator = regex.compile(r"[\p{S}&]")
_quotes = "'\"`\u00ab\u00bb\u2039\u203a"
_ends = _quotes + ".,;:!?\u2026\u3002\uff0c\u3001\u060c\u061b\u061f\u06d4\u0964"
_starts = _quotes + ",;:!?\u2026\u00bf\u00a1"
_pairs = dict(zip("([{\u300c\u300e\u3010\u3008\u300a", ")]}\u300d\u300f\u3011\u3009\u300b", strict=True))


class Key(NamedTuple):
    """A word of the index or, with `is_beginning`, all words that begin with `text`."""

    text: str
    is_beginning: bool = False


class Term(NamedTuple):
    """Words that follow each other. With `is_open`, the last word may be the beginning of a longer word.

    `marks` has the text before each word, and the text after the last word.
    """

    units: tuple[Unit, ...]
    marks: tuple[str, ...]
    is_open: bool
    tones: tuple[str, ...] = ()

    def matches(self, text: str, units: Sequence[Unit]) -> Iterator[tuple[int, int]]:
        """Yield the start and the end of each place where the text contains the term. `units` are those of the text."""
        if not self.units:
            for found in _pattern(self.marks[0]).finditer(fold_marks(text)):
                yield found.span()
            return
        for place in self._words_in(units):
            if found_at := self._with_marks(text, units, place):
                yield found_at
        if len(self.units) == 1 and self.units[0].is_emoji and not any((*self.marks, *self.tones)):
            for emoji, start, end in codes_in(text):
                if emoji == self.units[0].text:
                    yield start, end

    def index_keys(self) -> set[Key]:
        """Return the index keys of the term. Each text that contains the term has all these keys."""
        keys = {Key(sign) for marks in self.marks for sign in signs_in(marks)}
        if not self.units:
            return keys
        words = list(index_entries(self.units))
        last = self.units[-1]
        keys |= {Key(word) for word in words[:-1]}
        if last.is_letter:  # the index has this letter alone, or as the first letter of a pair
            return keys | (set() if is_run(self.units[-2:]) else {Key(last.text, is_beginning=True)})
        return keys | {Key(words[-1], self._goes_on and len(last.text) < LONGEST_WORD)}

    def _words_in(self, units: Sequence[Unit]) -> Iterator[int]:
        """Yield where the words of the term follow each other, whatever is between them."""
        wanted = [unit.text for unit in self.units]
        first, rest, last = wanted[0], wanted[1:-1], wanted[-1]
        length = len(wanted)
        is_open = self._goes_on
        for place in range(len(units) - length + 1):
            end = units[place + length - 1]
            if not (end.text.startswith(last) if is_open else end.text == last):
                continue
            if length > 1 and units[place].text != first:
                continue
            if any(units[place + 1 + n].text != word for n, word in enumerate(rest)):
                continue
            yield place

    def _with_marks(self, text: str, units: Sequence[Unit], place: int) -> tuple[int, int] | None:
        """Return the place of the words with their marks; None if other marks are around or between them."""
        past = place + len(self.units)
        found = units[place:past]
        start, end = found[0].start, found[-1].end
        if wanted := self.marks[0]:
            before = max(units[place - 1].end if place else 0, start - 4 * len(wanted))
            if (at := _pattern(wanted, "before").search(fold_marks(text[before:start]))) is None:
                return None
            start = before + at.start()
        if wanted := self.marks[-1]:
            after = units[past].start if past < len(units) else len(text)
            if (at := _pattern(wanted, "after").match(fold_marks(text[end:after]))) is None:
                return None
            end += at.end()
        for n in range(1, len(found)):
            one, two = found[n - 1 : n + 1]
            if not _is_between(
                self.marks[n], fold_marks(text[one.end : two.start]), is_run=is_run(self.units[n - 1 : n + 1])
            ):
                return None
        return (start, end) if not self.tones or tuple(_tones.findall(text, start, end)) == self.tones else None

    @property
    def _goes_on(self) -> bool:
        """Return whether the last word also matches longer words."""
        last = self.units[-1]
        return self.is_open and not (last.is_letter or last.is_emoji) and len(last.text) >= SHORTEST_BEGINNING


def make_term(text: str, *, is_open: bool) -> tuple[Term | None, list[str]]:
    """Return the term for a part of a query, and what is ignored of it: marks that cannot be searched for.

    Raise `Refused` (`invalid`) for too many marks.
    """
    text = replace_shortcodes(text.strip())
    if not split(text):
        signs = fold_marks(text)
        if not signs_in(signs):
            return None, [text] if text else []
        _check_length(signs)
        return Term((), (signs,), is_open), []
    start, end = _edges(text)
    ignored = [part for part in (text[:start], text[end:].strip()) if part]
    text = text[start:end].strip()
    units = tuple(split(text))
    ends = [0, *(unit.end for unit in units)]
    starts = [*(unit.start for unit in units), len(text)]
    marks = tuple(fold_marks(text[one:two]) for one, two in zip(ends, starts, strict=True))
    for part in marks:
        _check_length(part)
    return Term(units, marks, is_open and not marks[-1], tuple(_tones.findall(text))), ignored


def _edges(text: str) -> tuple[int, int]:
    """Return where a part of a query begins and ends without the quotes, brackets and stops around it."""
    start, end = 0, len(text)
    while True:
        inner = text[start:end]
        closer = _pairs.get(inner[0], "")
        opener = next((one for one, other in _pairs.items() if other == inner[-1]), "")
        if inner[0] in _starts or (closer and closer not in inner):
            start += 1
        elif inner[-1] in _ends or (opener and opener not in inner):
            end -= 1
        elif closer and closer == inner[-1] and inner.count(inner[0]) == 1:
            start, end = start + 1, end - 1
        else:
            return start, end


def _check_length(marks: str) -> None:
    if len(marks) > MOST_MARKS and len("".join(marks.split())) > MOST_MARKS:
        raise Refused("invalid", f"At most {MOST_MARKS} signs in a row can be searched for. Please use fewer.")


def _is_between(wanted: str, marks: str, *, is_run: bool) -> bool:
    """Return whether a text that has `marks` between two words has there what a term has."""
    if wanted == marks:
        return True
    if is_run:
        return False
    if not wanted:
        return _formatting.fullmatch(marks) is not None
    if wanted in {"-", "'"}:
        return _between.fullmatch(marks) is not None
    if any(mark.isspace() for mark in wanted):
        return wanted.isspace() or _pattern(wanted).search(marks) is not None
    return _pattern(wanted, "spaced" if _operator.search(wanted) else "").fullmatch(marks) is not None


@lru_cache(KEPT_PATTERNS)
def _pattern(marks: str, place: Literal["", "before", "after", "spaced"] = "") -> "regex.Pattern[str]":
    """Return the pattern for the marks of a term. In texts, a backslash may stand before each of them."""
    pattern = r"\s*".join("".join(map(_escaped, part)) for part in marks.split())
    space = r"\s?" if _spaced.search(marks) else ""
    around = {"": "{}", "before": f"{{}}{space}\\Z", "after": f"{space}{{}}", "spaced": r"\s*{}\s*"}[place]
    return regex.compile(around.replace("{}", pattern))


def _escaped(mark: str) -> str:
    return regex.escape(mark) if mark == "\\" else rf"\\?{regex.escape(mark)}"
