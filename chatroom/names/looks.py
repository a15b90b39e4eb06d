"""Equality of names, by spelling and by look."""

import unicodedata
from collections.abc import Sequence
from functools import cache

import regex

from chatroom.base.errors import Refused

SCRIPTS = [
    "Latin", "Greek", "Cyrillic", "Armenian", "Georgian", "Hebrew", "Arabic", "Thaana", "Ethiopic", "Devanagari",
    "Bengali", "Gurmukhi", "Gujarati", "Oriya", "Tamil", "Telugu", "Kannada", "Malayalam", "Sinhala", "Thai", "Lao",
    "Tibetan", "Myanmar", "Khmer", "Mongolian",
]  # fmt: skip
MIXTURES = ["Han Hiragana Katakana", "Han Hangul", "Han Bopomofo"]
"""Scripts that occur together in one word: Japanese, Korean, Chinese."""

_words = regex.compile(r"[\p{L}\p{M}]+")
_plain_digits = str.maketrans({"I": "l", "1": "l", "|": "l", "0": "O", "\u2019": "'", "\u02bc": "'", "\u02bb": "'"})


def fold(text: str) -> str:
    """Return the name without case and compatibility forms. A second `fold` changes nothing."""
    folded = text
    # One pass is not enough: a case mapping can create a sequence that normalizes further.
    while (following := unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", folded).casefold())) != folded:
        folded = following
    return folded


def look(name: str) -> str:
    """Return a form that is equal for names that look alike (`AIice` and `Alice`), by Unicode's UTS 39."""
    letters = "".join(_look_alikes().get(letter, letter) for letter in unicodedata.normalize("NFKC", name))
    for dotted in "ij":
        letters = letters.replace(dotted + "\u0307", dotted)
    return letters.translate(_plain_digits).replace("rn", "m").replace("vv", "w").rstrip(".")


def written_in(scripts: Sequence[str]) -> "regex.Pattern[str]":
    """Return a pattern for texts in one of these scripts or mixtures; signs and digits are always allowed."""
    return regex.compile(
        "|".join(
            r"[\p{Common}\p{Inherited}" + "".join(r"\p{" + script + "}" for script in mixture.split()) + "]*"
            for mixture in scripts
        )
    )


_word_of_one_script = written_in([*SCRIPTS, *(f"Latin {scripts}" for scripts in MIXTURES)])


def check_words(name: str) -> None:
    """Raise `Refused` (`invalid`) unless each word has one script, or mixes Latin with Japanese, Korean or Chinese."""
    if not all(_word_of_one_script.fullmatch(word) for word in _words.findall(unicodedata.normalize("NFKC", name))):
        raise Refused("invalid", "A word of the name mixes letters of different scripts. Please use one script.")


@cache
def _look_alikes() -> dict[str, str]:
    """Map letters outside ASCII to the ASCII letters or digits that they look like."""
    from confusable_homoglyphs.confusables import confusables_data  # noqa: PLC0415  45 ms to load

    found = {}
    for letter, candidates in confusables_data.items():
        plain = [form for each in candidates if (form := each["c"]).isascii() and len(form) == 1 and form.isalnum()]
        if len(letter) == 1 and not letter.isascii() and plain:
            found[letter] = plain[0]
    return found
