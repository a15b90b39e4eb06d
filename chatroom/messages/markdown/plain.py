"""The text that a reader sees of a rendered message, in one line."""

import re

import regex
from markupsafe import Markup

FORMULA = re.compile(r"<math.*?</math>", re.DOTALL)
"""The source of the formula follows it."""

ROOM_LINK = re.compile(r'<a class="room-link"[^>]*>(.*?)</a>', re.DOTALL)


def plain_text(html: str) -> str:
    """Return the text of a message's HTML in one line, with the source of formulas."""
    return Markup(FORMULA.sub("", html)).striptags()  # noqa: S704  to take the markup away


def without_room_links(html: str) -> str:
    """Return the HTML of a message without links to rooms, for files: the addresses have no host."""
    return ROOM_LINK.sub(r"\1", html)


def cut(text: str, longest: int) -> str:
    """Return a text of at most `longest` code points. An ellipsis shows a cut, which is never within an emoji."""
    if len(text) <= longest:
        return text
    end = max((found.end() for found in regex.finditer(r"\X", text[: longest + 1]) if found.end() < longest), default=0)
    return text[: end or longest - 1].rstrip() + "…"
