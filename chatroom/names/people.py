"""Rules for user names and display names, and for the equality of two names.

A name is stored as its owner sees it (NFKC). Two names are equal if they share a key.
"""

import unicodedata
from functools import cache

import regex

from chatroom.base.errors import Refused
from chatroom.names.looks import MIXTURES, SCRIPTS, fold, look, written_in

RULE_VERSION = 1
"""Stored with the keys. A change of `fold` or `look` needs a new number and a migration of `name_keys`."""

USERNAME_RULE = (
    "2 to 32 letters and digits of one script; dots, hyphens and underscores are allowed between them. No spaces."
)
DISPLAY_NAME_RULE = (
    "What others see: 1 to 40 letters and digits of one script; "
    "single spaces, dots, hyphens, underscores and apostrophes are allowed between them."
)

RESERVED = {
    "admin", "administrator", "all", "anonymous", "channel", "chatroom", "deleted", "everybody", "everyone",
    "former member", "here", "mod", "moderator", "nobody", "null", "official", "operator", "owner", "room",
    "root", "staff", "superuser", "support", "system", "undefined", "webmaster",
}  # fmt: skip

_letters = r"\p{L}\p{Mn}\p{Mc}\p{Nd}"
_signs = "._ '\u2019·-"
_username = regex.compile(rf"[{_letters}._\-]*")
_display_name = regex.compile(rf"[{_letters}{_signs}]*")
_hidden = regex.compile(r"\p{Default_Ignorable_Code_Point}|\p{C}|[\p{Z}--\x20]", regex.V1)
_begins = regex.compile(r"[\p{L}\p{Nd}]")
_ends = regex.compile(r".*[\p{L}\p{M}\p{Nd}]")
_doubled = regex.compile(rf".*[{_signs}][{_signs}]")
_piled = regex.compile(r".*\p{Mn}{3}")
_one_script = written_in([*SCRIPTS, *MIXTURES])
_latin = regex.compile(r"\p{Latin}")


def keys(username: str, display_name: str) -> list[str]:
    """Return the keys that these names reserve; user names and display names share one namespace."""
    return sorted({form for name in (username, display_name) for form in (fold(name), "~" + look(name))})


def clean_username(text: str) -> str:
    """Return the user name in its stored form, or raise `Refused` (`invalid`) with the reason."""
    name = _clean(text, _username, "A user name consists of letters and digits, with . _ - between them.", 2, 32)
    if not (name.isascii() or _latin.search(name)) and look(name).isascii():
        raise _invalid("This user name looks like a name in Latin letters. Please choose another.")
    return name


def clean_display_name(text: str) -> str:
    """Return the display name in its stored form, or raise `Refused` (`invalid`) with the reason."""
    return _clean(text, _display_name, "A display name consists of letters, digits, spaces, and ' . _ -.", 1, 40)


def is_reserved(name: str) -> bool:
    """Return whether a name is reserved for the site, or looks like a reserved name."""
    return _reserved_form(fold(name)) in RESERVED or _reserved_look(name) in _reserved_looks()


def _clean(text: str, allowed: "regex.Pattern[str]", made_of: str, shortest: int, longest: int) -> str:
    _check_length(text, shortest, longest)
    _check_characters(text, allowed, made_of)
    name = unicodedata.normalize("NFKC", text)
    _check_length(name, shortest, longest)
    _check_characters(name, allowed, made_of)  # a compatibility form can contain anything
    _check_form(name)
    _check_script(name)
    if is_reserved(name):
        raise _invalid("This name is reserved. Please choose another.")
    return name


def _check_length(name: str, shortest: int, longest: int) -> None:
    if not name:
        raise _invalid("Please enter a name.")
    if len(name) < shortest:
        raise _invalid(f"The name is too short: it needs at least {shortest} characters.")
    if len(name) > longest:
        raise _invalid(f"The name is too long: at most {longest} characters are allowed.")


def _check_characters(name: str, allowed: "regex.Pattern[str]", made_of: str) -> None:
    if name != name.strip():
        raise _invalid("The name begins or ends with a space. Please remove it.")
    if _hidden.search(name):
        raise _invalid("The name contains an invisible character or an unusual space. Please type it again.")
    # Python cannot fold a character that is newer than this Python: a later version would make other keys.
    if not allowed.fullmatch(name) or any(unicodedata.category(letter) == "Cn" for letter in name):
        raise _invalid(made_of)


def _check_form(name: str) -> None:
    if not _begins.match(name):
        raise _invalid("The name must begin with a letter or a digit.")
    if not _ends.fullmatch(name.removesuffix(".") if " " in name else name):
        raise _invalid("The name must end with a letter or a digit.")
    if _doubled.match(name):
        if regex.search(r"\. ", name) and not _doubled.match(name.replace(". ", " ")):
            return  # "J. R. Hartley"
        raise _invalid("The name has two spaces or punctuation marks in a row. Please use one.")
    if _piled.match(name):
        raise _invalid("The name has too many accents on one letter.")


def _check_script(name: str) -> None:
    if not _one_script.fullmatch(name):
        raise _invalid("The name mixes letters of several scripts, such as Latin and Cyrillic. Please use one.")
    zeros = {ord(letter) - unicodedata.digit(letter) for letter in name if unicodedata.category(letter) == "Nd"}
    if len(zeros) > 1:
        raise _invalid("The name mixes digits of different scripts. Please use one script.")
    if any(not letter.isascii() and letter.islower() and letter == letter.upper() for letter in name):
        raise _invalid("The name contains a phonetic letter. Please use ordinary letters.")  # ᴀᴅᴍɪɴ


def _reserved_form(name: str) -> str:
    """Return the name without signs and digits."""
    return "".join(letter for letter in name if letter == " " or not (letter in _signs or letter.isdigit())).strip()


def _reserved_look(name: str) -> str:
    return _reserved_form(look(name).casefold()).replace("l", "i")  # adm1n


@cache
def _reserved_looks() -> frozenset[str]:
    return frozenset(_reserved_look(word) for word in RESERVED)


def _invalid(message: str) -> Refused:
    return Refused("invalid", message)
