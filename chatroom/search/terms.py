"""The searchable words of a text, in a form without case, accents and widths.

Scripts without spaces between words (Chinese, Japanese, Thai) are indexed as pairs of letters.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

import regex

from chatroom.names import without_accents

RULE_VERSION = 2
"""The version of these rules. If it changes, the indexer indexes every room again."""
LONGEST_WORD = 32
"""The index stores only this many letters of a word."""
MOST_WORDS = 1000
"""The index stores only this many words of a message."""
SHORTEST_BEGINNING = 2
"""A shorter word in a query finds only equal words, not longer ones."""

_RUNS_ON = r"\p{Han}\p{Hiragana}\p{Katakana}\p{Bopomofo}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}"
_unit = regex.compile(
    rf"(?P<letter>[[{_RUNS_ON}]&&[\p{{L}}\p{{N}}]]\p{{M}}*)|[[\p{{L}}\p{{N}}]--[{_RUNS_ON}]][\p{{L}}\p{{N}}\p{{M}}--[{_RUNS_ON}]]*",
    regex.V1,
)
_plain_unit = regex.compile(r"[A-Za-z0-9]+")


class Unit(NamedTuple):
    """A folded word of a text, or a letter if the script has no spaces; `start` and `end` are its place in the text."""

    text: str
    start: int
    end: int
    is_letter: bool


_END = Unit("", -1, -1, is_letter=False)


class Key(NamedTuple):
    """A word of the index or, with `is_beginning`, all words that begin with `text`."""

    text: str
    is_beginning: bool = False


class Term(NamedTuple):
    """Words that follow each other. With `is_open`, the last word may be the beginning of a longer word."""

    units: tuple[Unit, ...]
    is_open: bool

    def matches(self, units: Sequence[Unit]) -> Iterator[tuple[int, int]]:
        """Yield the start and the end of each place where the text contains the term."""
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
            yield units[place].start, end.end

    def index_keys(self) -> set[Key]:
        """Return the index keys of the term. Each text that contains the term has all these keys."""
        words = list(index_entries(self.units))
        last = self.units[-1]
        keys = {Key(word) for word in words[:-1]}
        if last.is_letter:  # the index has this letter alone, or as the first letter of a pair
            return keys | (set() if _is_run(self.units[-2:]) else {Key(last.text, is_beginning=True)})
        return keys | {Key(words[-1], self._goes_on and len(last.text) < LONGEST_WORD)}

    @property
    def _goes_on(self) -> bool:
        """Return whether the last word also matches longer words."""
        last = self.units[-1]
        return self.is_open and not last.is_letter and len(last.text) >= SHORTEST_BEGINNING


def split(text: str) -> list[Unit]:
    """Return the words of a text, in order."""
    if text.isascii():
        lower = text.lower()
        return [Unit(lower[m.start() : m.end()], m.start(), m.end(), False) for m in _plain_unit.finditer(text)]
    return [
        Unit(without_accents(found[0]), found.start(), found.end(), found["letter"] is not None)
        for found in _unit.finditer(text)
    ]


def index_words(text: str) -> set[str]:
    """Return the words that the index stores for a text."""
    words: set[str] = set()
    if text.isascii():  # faster
        found: Iterable[str] = (word[:LONGEST_WORD] for word in _plain_unit.findall(text.lower()))
    else:
        found = index_entries(split(text))
    for word in found:
        words.add(word)
        if len(words) >= MOST_WORDS:
            break
    return words


def index_entries(units: Iterable[Unit]) -> Iterator[str]:
    """Yield the words. In scripts without spaces, yield each letter together with the next letter, if there is one."""
    for unit, following in pairwise([*units, _END]):
        if _is_run((unit, following)):
            yield unit.text + following.text
        else:
            yield unit.text[:LONGEST_WORD]


def _is_run(units: Sequence[Unit]) -> bool:
    """Return whether these are two letters with nothing between them."""
    return len(units) == 2 and all(unit.is_letter for unit in units) and units[0].end == units[1].start
