"""Equality of names, by spelling and by look."""

import unicodedata
from functools import cache

import regex

from chatroom.base.errors import Refused

SCRIPTS = [
    "Latin", "Greek", "Cyrillic", "Armenian", "Georgian", "Hebrew", "Arabic", "Thaana", "Ethiopic", "Devanagari",
    "Bengali", "Gurmukhi", "Gujarati", "Oriya", "Tamil", "Telugu", "Kannada", "Malayalam", "Sinhala", "Thai", "Lao",
    "Tibetan", "Myanmar", "Khmer", "Mongolian", "Tifinagh", "Nko", "Adlam", "Canadian_Aboriginal", "Cherokee", "Syriac",
]  # fmt: skip
MIXTURES = ["Latin Han Hiragana Katakana", "Latin Han Hangul", "Latin Han Bopomofo"]
"""Scripts that occur together in names: Japanese, Korean, Chinese, each with Latin. UTS 39 calls this level "highly
restrictive"."""

_common = regex.compile(r"[\p{Common}\p{Inherited}]")
_scripts = {name: regex.compile(rf"\p{{{name}}}") for name in [*SCRIPTS, *" ".join(MIXTURES).split()]}
_of_one_script = regex.compile(
    "|".join(
        r"[\p{Common}\p{Inherited}" + "".join(rf"\p{{{script}}}" for script in mixture.split()) + "]*"
        for mixture in [*SCRIPTS, *MIXTURES]
    )
)
_words = regex.compile(r"[\p{L}\p{M}]+")
_without_joiners = dict.fromkeys((0x200C, 0x200D))
_plain_digits = str.maketrans({"I": "l", "1": "l", "|": "l", "0": "O", "\u2019": "'", "\u02bc": "'", "\u02bb": "'"})


def fold(text: str) -> str:
    """Return the name without case, compatibility forms and joiners. A second `fold` changes nothing."""
    folded = text.translate(_without_joiners)
    # One pass is not enough: a case mapping can create a sequence that normalizes further.
    while (following := unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", folded).casefold())) != folded:
        folded = following
    return folded


def look(name: str) -> str:
    """Return a form that is equal for names that look alike (`AIice` and `Alice`), by Unicode's UTS 39."""
    letters = _plain_letters(unicodedata.normalize("NFKC", name.translate(_without_joiners)))
    for dotted in "ij":
        letters = letters.replace(dotted + "\u0307", dotted)
    return _joined(letters)


def keys(*names: str) -> list[str]:
    """Return the keys that these names reserve: by spelling, by look, and by the look in small letters.

    The last key is not the look in small letters: `look` makes `lan` of `Ian`, which would then equal `Lan`.
    """
    return sorted({key for name in names for key in (fold(name), "~" + look(name), "^" + _small_look(name))})


def _small_look(name: str) -> str:
    return _joined(_plain_letters(fold(name)))


def _plain_letters(name: str) -> str:
    return "".join(_look_alikes().get(letter, letter) for letter in name)


def _joined(letters: str) -> str:
    return letters.translate(_plain_digits).replace("rn", "m").replace("vv", "w").rstrip(".")


def check_scripts(name: str) -> None:
    """Raise `Refused` (`invalid`) unless the name has letters and digits of one script, or of one mixture of names."""
    if not _of_one_script.fullmatch(name):
        raise Refused("invalid", _mixture_of(name))
    zeros = {ord(letter) - unicodedata.digit(letter): letter for letter in name if unicodedata.category(letter) == "Nd"}
    if len(zeros) > 1:
        one, other = list(zeros.values())[:2]
        raise Refused("invalid", f"The name mixes digits of different scripts (“{one}” and “{other}”). Please use one.")


def check_words(name: str) -> None:
    """Raise `Refused` (`invalid`) unless each word has one script, or mixes Latin with Japanese, Korean or Chinese."""
    for word in _words.findall(unicodedata.normalize("NFKC", name)):
        if not _of_one_script.fullmatch(word):
            raise Refused("invalid", _mixture_of(word))


def _mixture_of(word: str) -> str:
    found: dict[str, str] = {}
    for letter in word:
        script = next((name for name, pattern in _scripts.items() if pattern.match(letter)), "")
        if not script and not _common.match(letter):
            return f"“{letter}” belongs to a script that names cannot have here. Please use another script."
        if script:
            found.setdefault(script, letter)
    examples = " and ".join(f"{script} (“{letter}”)" for script, letter in found.items())
    return f"The name mixes letters of different scripts: {examples}. Please use one script."


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
