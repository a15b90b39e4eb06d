"""The names that nobody may have, because they belong to the site or look like its own."""

from collections.abc import Iterator
from functools import cache

from chatroom.names.looks import fold, look

RESERVED = {
    "admin", "administrator", "all", "anonymous", "channel", "chatroom", "deleted", "everybody", "everyone",
    "former member", "here", "mod", "moderator", "nobody", "null", "official", "operator", "owner", "room",
    "root", "staff", "superuser", "support", "system", "undefined", "webmaster",
}  # fmt: skip

_SHORT = 4
"""Up to this length, a word is compared letter by letter: `ali` is a name, although `al1` looks like `all`."""


def is_reserved(name: str) -> bool:
    """Return whether a name is reserved for the site, or looks like a reserved name."""
    return _letters(fold(name)) in RESERVED or any(form in _reserved_looks() for form in _looks(name))


def _looks(name: str) -> Iterator[str]:
    form = _letters(look(name).casefold())
    yield form
    if len(form) > _SHORT:
        yield form.replace("l", "i")  # adm1n, officia1


def _letters(name: str) -> str:
    """Return the name without signs and digits, which people insert to evade the list of reserved names."""
    return "".join(letter for letter in name if letter == " " or letter.isalpha()).strip()


@cache
def _reserved_looks() -> frozenset[str]:
    return frozenset(form for word in RESERVED for spelling in (word, word.upper()) for form in _looks(spelling))
