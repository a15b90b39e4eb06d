"""The searchable words and signs of a text, in a form without case, accents and widths.

Scripts without spaces between words (Chinese, Japanese, Thai), and Korean, whose particles follow a word without a
space, are indexed as pairs of letters.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice, pairwise
from typing import NamedTuple

import regex

from chatroom.messages.markdown.emoji import SHORTCODE, SHORTCODES, find_emoji
from chatroom.names import UNSEEN, without_accents

RULE_VERSION = 3
"""The version of these rules. If it changes, the indexer indexes every room again."""
LONGEST_WORD = 32
"""The index stores only this many letters of a word."""
MOST_WORDS = 1000
"""The index stores only this many words of a message."""

_RUNS_ON = r"\p{Han}\p{Hiragana}\p{Katakana}\u30fc\uff70\p{Bopomofo}\p{Hangul}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}"
_TONES = r"\U0001f3fb-\U0001f3ff"
_EMOJI = (
    rf"\p{{RI}}{{2}}|\p{{ExtPict}}[\ufe0e\ufe0f{_TONES}]*(?:\u200d\p{{ExtPict}}[\ufe0e\ufe0f{_TONES}]*)*"
    r"[\U000e0020-\U000e007f]*"
)
_JAMO = r"[\u1100-\u115f\ua960-\ua97c]{1,3}[\u1160-\u11a7\ud7b0-\ud7c6]{1,3}[\u11a8-\u11ff\ud7cb-\ud7fb]{0,3}"
"""A Korean syllable in the form NFD. The numbers bound the time."""
_unit = regex.compile(
    r"(?P<keycap>[#*0-9]\ufe0f?\u20e3)"
    rf"|(?P<letter>(?:{_JAMO}|[[{_RUNS_ON}]&&[\p{{L}}\p{{N}}]])[\p{{M}}{UNSEEN}]*)"
    r"|[vV](?=[0-9])"
    rf"|[[\p{{L}}\p{{N}}]--[{_RUNS_ON}\u02bb\u02bc]][[\p{{L}}\p{{N}}\p{{M}}{UNSEEN}]--[{_RUNS_ON}\u02bb\u02bc]]*"
    rf"|(?P<emoji>{_EMOJI})",
    regex.V1,
)
_plain_unit = regex.compile(r"[Vv](?=[0-9])|[A-Za-z0-9]+")
"""The `v` of a version is a word of its own: `1.2.3` finds `v1.2.3`."""
_SIGNS = r"#$%&+<=>@^|~"
_plain_unit_or_sign = regex.compile(rf"v(?=[0-9])|[a-z0-9]+|[{_SIGNS}]")
_sign = regex.compile(
    rf"[[{_SIGNS}\uff03-\uff06\uff0b\uff1c-\uff1e\uff20\uff5c\uff5e\p{{Sm}}\p{{Sc}}\p{{So}}§¶†‡•‰]--[\p{{ExtPict}}\p{{RI}}\u2212]]",
    regex.V1,
)
"""A sign in the index. Marks of sentences and of Markdown are not in the index: `. , ; : ! ? ( ) - * _ /`."""
_looks = regex.compile(rf"[\ufe0e\ufe0f{_TONES}]+")
_marks = str.maketrans(
    dict.fromkeys("\u2018\u2019\u201b\u02bb\u02bc\u2032\u05f3\uff07", "'")
    | dict.fromkeys("\u201c\u201d\u201e\u201f\u2033\u05f4\uff02", '"')
    | dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212\uff0d", "-")
    | {"\uffe1": "\u00a3", "\uffe5": "\u00a5", "\uffe6": "\u20a9"}
    | {chr(code): chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F) if code not in {0xFF02, 0xFF07, 0xFF0D}}
)


class Unit(NamedTuple):
    """A folded word of a text, an emoji, or a letter of a script that is searched in parts.

    `start` and `end` are its place in the text. The text of an emoji has no skin tone.
    """

    text: str
    start: int
    end: int
    is_letter: bool
    is_emoji: bool = False


_END = Unit("", -1, -1, is_letter=False)


def fold_marks(text: str) -> str:
    """Return marks and signs in one of their forms: straight quotes, one hyphen, no full width. The length stays."""
    return text if text.isascii() else text.translate(_marks)


def split(text: str) -> list[Unit]:
    """Return the words of a text, in order."""
    if text.isascii():
        lower = text.lower()
        return [Unit(lower[m.start() : m.end()], m.start(), m.end(), False) for m in _plain_unit.finditer(text)]
    return [_unit_of(found) for found in _unit.finditer(text)]


def _unit_of(found: "regex.Match[str]") -> Unit:
    kind = found.lastgroup
    is_emoji = kind in {"emoji", "keycap"}
    text = (_looks.sub("", found[0]) or found[0]) if is_emoji else without_accents(found[0])
    return Unit(text, found.start(), found.end(), kind == "letter", is_emoji)


def signs_in(marks: str) -> set[str]:
    """Return the signs of a text that the index has."""
    return {fold_marks(sign) for sign in _sign.findall(marks)}


def codes_in(text: str) -> Iterator[tuple[str, int, int]]:
    """Yield each emoji that a short code such as `:tada:` names, without its skin tone, and its place."""
    for codes in SHORTCODES.finditer(text) if ":" in text else ():
        for code in SHORTCODE.finditer(codes[0]):
            if emoji := find_emoji(code[1]):
                yield _looks.sub("", emoji), codes.start() + code.start(), codes.start() + code.end()


def index_words(text: str) -> set[str]:
    """Return the words and signs that the index stores for a text."""
    if text.isascii():  # faster
        words = dict.fromkeys([word[:LONGEST_WORD] for word in _plain_unit_or_sign.findall(text.lower())])
    else:
        words = dict.fromkeys(chain(index_entries(split(text)), signs_in(text)))
    for emoji, _, _ in codes_in(text) if ":" in text else ():
        words[emoji] = None
    return set(words) if len(words) <= MOST_WORDS else set(islice(words, MOST_WORDS))


def index_entries(units: Iterable[Unit]) -> Iterator[str]:
    """Yield the words. In scripts without spaces, yield each letter together with the next letter, if there is one."""
    for unit, following in pairwise([*units, _END]):
        if is_run((unit, following)):
            yield unit.text + following.text
        else:
            yield unit.text[:LONGEST_WORD]


def is_run(units: Sequence[Unit]) -> bool:
    """Return whether these are two letters with nothing between them."""
    return len(units) == 2 and all(unit.is_letter for unit in units) and units[0].end == units[1].start
