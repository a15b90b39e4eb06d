"""What people add to a display name: pronouns in parentheses, commas and emoji.

None of these distinguishes two names: `Ada (she/her)` and `Ada 🌻` have the keys of `Ada`.
"""

import unicodedata

import regex

from chatroom.base.errors import Refused

MOST_EMOJI = 3
BADGES = frozenset("✅✔☑🛡👑🤖👮🔰")
"""Emoji that other programs show as the badge of a verified person, a moderator or a bot."""

_emoji = regex.compile(
    r"\p{RI}{2}|(?:(?!\p{RI})\p{Emoji_Presentation}|\p{ExtPict}\uFE0F)\p{EMod}?"
    r"(?:\u200D\p{ExtPict}(?:\uFE0F|\p{EMod})?)*"
)
_aside = regex.compile(r"(.*\S) \(([^()]+)\)")
_apostrophe_at_edge = regex.compile(r"(?<![\p{L}\p{M}\p{Nd}])['\u2019]|['\u2019](?![\p{L}\p{M}\p{Nd}])")


def without_emoji(name: str) -> str:
    """Return the name without its emoji and the spaces around them."""
    return " ".join(_emoji.sub(" ", name).split()) if _emoji.search(name) else name


def split_aside(name: str) -> tuple[str, str]:
    """Split a name without emoji into the name itself and the text in parentheses after it."""
    parts = _aside.fullmatch(name)
    return (parts[1], parts[2]) if parts else (name, "")


def bare(display_name: str) -> str:
    """Return the part of a display name that distinguishes it from other names."""
    name, _ = split_aside(without_emoji(display_name))
    return str(_apostrophe_at_edge.sub("", name)).replace(",", "")


def check_emoji(name: str) -> None:
    """Raise `Refused` (`invalid`) for too many emoji, a badge, or an emoji that touches a letter."""
    found = list(_emoji.finditer(name))
    if len(found) > MOST_EMOJI:
        raise Refused("invalid", f"The name has too many emoji: at most {MOST_EMOJI} are allowed.")
    for each in found:
        if any(unicodedata.category(part) == "Cn" for part in each[0]):
            raise Refused("invalid", f"The emoji {each[0]} is too new for this server. Please choose another.")
        if each[0][0] in BADGES:
            raise Refused("invalid", f"The emoji {each[0]} looks like a badge of this site. Please choose another.")
        if any(side.isalnum() for side in name[max(0, each.start() - 1) : each.start()] + name[each.end() :][:1]):
            raise Refused("invalid", f"Please put a space between the letters and the emoji {each[0]}.")
