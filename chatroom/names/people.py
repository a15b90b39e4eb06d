"""Rules for user names and display names, and for the equality of two names.

A name is stored as its owner sees it: in the form NFKC, except for letters that this form draws otherwise. Two names
are equal if they share a key.
"""

import unicodedata
from collections.abc import Callable

import regex
from idna.core import valid_contextj

from chatroom.base.errors import Refused
from chatroom.names.decorations import bare, check_emoji, split_aside, without_emoji
from chatroom.names.looks import check_scripts, keys
from chatroom.names.reserved import is_reserved

RULE_VERSION = 2
"""Stored with the keys. A new rule that gives a stored name other keys needs a new number and a migration."""

USERNAME_RULE = (
    "2 to 32 letters and digits of one script; dots, hyphens and underscores are allowed between them. No spaces."
)
DISPLAY_NAME_RULE = (
    "What others see: your name in any script, with 1 to 40 characters. "
    "Pronouns in parentheses and up to 3 emoji are allowed after it."
)

_letters = r"\p{L}\p{Mn}\p{Mc}\p{Nd}\p{Join_Control}"
_signs = "._ ,'\u2019\"\u00b7\u0f0b\u30fb\u05be\u05f3\u05f4-"
_username = regex.compile(rf"[{_letters}._\-]")
_display_name = regex.compile(rf"[{_letters}{_signs}]")
_aside = regex.compile(rf"[{_letters}/{_signs}]")
_invisible = regex.compile(r"\p{Default_Ignorable_Code_Point}|\p{C}|[\u2800\u2028\u2029]")
_letter = regex.compile(r"[\p{L}\p{M}\p{Nd}]")
_begins = regex.compile(r"['\u2019]?[\p{L}\p{Nd}]")
_gap = regex.compile(r"[.,'\u2019\u05f3]? ['\u2019]?(?=[\p{L}\p{Nd}])")
"""What may stand between two words: `J. R.`, `Lee, Sam`, `de' Medici`, `van 't Hoff`."""
_doubled = regex.compile(rf"[{_signs}][{_signs}]")
_quote = regex.compile(r"(?<!\p{Hebrew})\"|\"(?!\p{Hebrew})")
_stray = regex.compile(r"(?<![\p{L}\p{M}\p{Nd}\p{Join_Control}])\p{M}")
_piled = regex.compile(r"\p{Mn}{3}")
_narrow = str.maketrans("\uff08\uff09\uff0c\u3000\u2010\u2011", "(), --")
_compatible = regex.compile(r"[^\u0e33\u0eb3\u3131-\u318e]+")
"""What NFKC may replace: it would take the Thai and Lao vowel AM apart, and draw Korean letters otherwise."""


def person_keys(username: str, display_name: str) -> list[str]:
    """Return the keys that these names reserve. User names and display names share one namespace."""
    return keys(username, bare(display_name))


def clean_username(text: str) -> str:
    """Return the user name in its stored form, or raise `Refused` (`invalid`) with the reason."""
    return _clean(text, 2, 32, _check_username)


def clean_display_name(text: str) -> str:
    """Return the display name in its stored form, or raise `Refused` (`invalid`) with the reason."""
    return _clean(text.translate(_narrow), 1, 40, _check_display_name)


def _clean(text: str, shortest: int, longest: int, check: Callable[[str], None]) -> str:
    name: str = _compatible.sub(lambda part: unicodedata.normalize("NFKC", part[0]), text)
    for form in (text, name):  # a compatibility form can contain anything
        _check_length(form, shortest, longest)
        if form != form.strip():
            raise _invalid("The name begins or ends with a space. Please remove it.")
        check(form)
    return name


def _check_username(name: str) -> None:
    if " " in name:
        raise _invalid("A user name has no spaces. Please use a dot, a hyphen or an underscore instead.")
    _check_characters(name, _username, "A user name consists of letters and digits, with . _ - between them.")
    _check_form(name)
    check_scripts(name)
    _check_free(name)


def _check_display_name(name: str) -> None:
    check_emoji(name)
    itself, aside = split_aside(without_emoji(name))
    _check_characters(itself, _display_name, "A display name consists of letters, digits, spaces, and ' , . _ -.")
    _check_form(itself)
    check_scripts(itself)
    _check_free(bare(itself))
    if aside:
        _check_characters(aside, _aside, "The parentheses of a name contain letters and spaces, such as (she/her).")
        check_scripts(aside)
        for word in regex.split(r"[^\p{L}\p{M}\p{Nd}]+", aside):
            _check_free(word)


def _check_free(name: str) -> None:
    if is_reserved(name):
        raise _invalid(f"The name “{name}” is reserved. Please choose another.")


def _check_length(name: str, shortest: int, longest: int) -> None:
    if not name:
        raise _invalid("Please enter a name.")
    if len(name) < shortest:
        raise _invalid(f"The name is too short: it needs at least {shortest} characters.")
    if len(name) > longest:
        raise _invalid(f"The name is too long: at most {longest} characters are allowed.")


def _check_characters(name: str, allowed: "regex.Pattern[str]", made_of: str) -> None:
    for place, letter in enumerate(name):
        # Python cannot fold a character that is newer than this Python: a later version would make other keys.
        is_visible = not _invisible.match(letter) or (letter in "\u200c\u200d" and valid_contextj(name, place))
        if is_visible and allowed.fullmatch(letter) and unicodedata.category(letter) != "Cn":
            continue
        called = f"U+{ord(letter):04X} {unicodedata.name(letter, '').lower()}".strip()
        if letter.isspace():
            raise _invalid(f"The name contains an unusual space ({called}). Please use the ordinary space.")
        if not is_visible:
            after = f" after “{name[:place]}”" if place else ""
            raise _invalid(f"The name contains an invisible character ({called}){after}. Please remove it.")
        raise _invalid(f"The character “{letter}” ({called}) is not allowed. {made_of}")


def _check_form(name: str) -> None:
    if not _begins.match(name):
        raise _invalid("The name must begin with a letter or a digit.")
    if not _letter.match(name.removesuffix(".")[-1:] if " " in name else name[-1:]) and name[-1] not in "'\u2019\u05f3":
        raise _invalid("The name must end with a letter or a digit.")
    if _quote.search(name):
        raise _invalid('The character “"” is allowed only between Hebrew letters.')
    if doubled := _doubled.search(_gap.sub("-", name)):
        raise _invalid(f"The name has two signs in a row (“{doubled[0]}”). Please use one.")
    if _stray.search(name):
        raise _invalid("The name contains an accent without a letter. Please remove it.")
    if _piled.search(name):
        raise _invalid("The name has too many accents on one letter.")
    if phonetic := next((letter for letter in name if _is_phonetic(letter)), None):
        raise _invalid(f"The name contains the phonetic letter “{phonetic}”. Please use ordinary letters.")  # ᴀᴅᴍɪɴ


def _is_phonetic(letter: str) -> bool:
    return unicodedata.category(letter) == "Ll" and not letter.isascii() and letter == letter.upper()


def _invalid(message: str) -> Refused:
    return Refused("invalid", message)
