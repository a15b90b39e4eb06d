"""The parts of names by which people are found: each word, with and without accents (`jose`, `weaver`, `mueller`).

static/state/kit/names.js has the same rules; tests/corpus/people.json has the cases for both.
"""

import unicodedata
from collections.abc import Iterator

import regex

UNSEEN = r"\u00ad\u061c\u180e\u200b-\u200f\u2060\ufeff"
"""Characters without a width, such as joiners. They may stand within a word."""
_accents = regex.compile(
    rf"[\u0300-\u036f\u0483-\u0487\u0591-\u05c7\u0610-\u061a\u0640\u064b-\u065f\u0670\u06d6-\u06dc\u06df-\u06e8"
    rf"\u06ea-\u06ed\u1ab0-\u1aff\u1dc0-\u1dff\ufe00-\ufe0f{UNSEEN}]+"
)
"""Accents that people may omit, and what is not seen. Japanese and Indian signs are not accents: they are parts of
letters. The Arabic tatweel only makes a word longer."""
_letters = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "\u0131": "i", "ħ": "h", "ß": "ss"}
    | {"\u0649": "\u064a", "\u06cc": "\u064a", "\u06a9": "\u0643", "\u0629": "\u0647"}
)
_german = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue"})
_apostrophe = regex.compile(r"['`\u00b4\u2018\u2019\u02bb\u02bc]")
_between = regex.compile(r"[\s._\-]+")
_start = regex.compile(r"(?<![\p{L}\p{M}\p{N}])[\p{L}\p{N}]|[\p{Han}\p{Hiragana}\p{Katakana}\p{Hangul}]")


def without_accents(text: str) -> str:
    """Return the text without case, accents, and differences in the width of letters."""
    if text.isascii():
        return text.lower()
    bare = _accents.sub("", unicodedata.normalize("NFKD", text.casefold())).casefold().translate(_letters)
    return unicodedata.normalize("NFC", bare)


def name_parts(*names: str) -> list[str]:
    """Return what follows each beginning of a word in the names. A query finds a name if a part begins with it."""
    return sorted({part for name in names for part in _parts(name)})


def beginning_of_part(query: str) -> str:
    """Return the form of a query that the parts of a name may begin with."""
    return str(_apostrophe.sub("", _between.sub(" ", without_accents(query.strip())))).lstrip()


def _parts(name: str) -> Iterator[str]:
    small = unicodedata.normalize("NFC", name).casefold()
    for spelling in {small, small.translate(_german)}:
        plain = _between.sub(" ", without_accents(spelling))
        for start in _start.finditer(plain):
            yield _apostrophe.sub("", plain[start.start() :])
