"""The names of rooms, and their addresses (slugs).

The slug that is made from a title has letters, digits and hyphens. The slug of a direct conversation cannot be
guessed. It has an underscore, so that no title can produce it.
"""

import secrets

import regex

from chatroom.base.errors import Refused
from chatroom.base.models import Slug
from chatroom.names.looks import check_words, fold, keys, look

MAX_TITLE = 60
MAX_TOPIC = 250
SLUG_LENGTH = 40
LOBBY_SLUG = Slug("lobby")

FORMER_DIRECT = "^dm-[0-9a-f]{20}$"
"""The former addresses of direct conversations, which could be guessed. No new room gets such an address."""

_former_direct = regex.compile(FORMER_DIRECT[:-1] + r"\Z")
_between = regex.compile(r"[^\p{L}\p{M}\p{Nd}]+")
_hidden = regex.compile(r"\p{C}|[\u2028\u2029]|\p{Default_Ignorable_Code_Point}")
_spaces = regex.compile(r"\s+")
_visible = regex.compile(r"[\p{L}\p{N}\p{S}\p{P}]")


def make_slug(title: str, *, is_ended: bool = False) -> Slug:
    """Make the slug of a room from its first title: letters and digits of any script, with hyphens.

    With `is_ended`, the slug ends with random characters. Raises `Refused` (`invalid`) if the slug has the form of
    former slugs of direct conversations.
    """
    slug = _between.sub("-", title.casefold()).strip("-")[:SLUG_LENGTH].strip("-") or "room"
    if is_ended:
        slug = f"{slug}-{secrets.token_hex(3)}"
    if is_former_direct(slug):
        raise Refused("invalid", "This name looks like the address of a direct conversation. Please choose another.")
    return Slug(slug)


def make_direct_slug() -> Slug:
    """Return the address of a new direct conversation."""
    return Slug(f"dm_{secrets.token_hex(10)}")


def is_former_direct(slug: str) -> bool:
    """Return whether the slug has the form of former slugs of direct conversations."""
    return _former_direct.match(slug) is not None


def clean_title(text: str) -> str:
    """Return the title in its stored form, or raise `Refused` (`empty`, `too_long`, `invalid`)."""
    title = one_line(text)
    if _visible.search(title) is None:
        raise Refused("empty", "Give the room a name.")
    if len(title) > MAX_TITLE:
        raise Refused("too_long", f"A name has at most {MAX_TITLE} characters.")
    make_slug(title)
    return title


def check_new_title(title: str) -> None:
    """Raise `Refused` (`invalid`) for a title that could mislead. The lobby may have any title."""
    check_words(title)
    if set(title_keys(title)) & set(title_keys(LOBBY_SLUG)) or fold(look(title)) == fold(look(LOBBY_SLUG)):
        raise Refused("invalid", "This name is the name of the lobby, or looks like it. Please choose another.")


def title_keys(title: str) -> list[str]:
    """Return the keys that the title of a public room reserves."""
    return keys(title)


def clean_topic(text: str) -> str:
    """Return the topic in its stored form, or raise `Refused` (`too_long`)."""
    topic = one_line(text)
    if len(topic) > MAX_TOPIC:
        raise Refused("too_long", f"A topic has at most {MAX_TOPIC} characters.")
    return topic


def one_line(text: str) -> str:
    """Return the text in one line, without characters that nobody sees."""
    return str(_spaces.sub(" ", _hidden.sub("", _spaces.sub(" ", text)))).strip()
