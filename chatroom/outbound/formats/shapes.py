"""What several formats have in common. The bounds are far above what the programs send."""

from typing import Annotated, TypeVar

from msgspec import Meta

from chatroom.outbound.formats.dialects import literal
from chatroom.outbound.formats.markdown import bold, link

MOST_ITEMS = 100
LONGEST_LINE = 40_000
"""Longer texts are cut, as in Slack."""

Item = TypeVar("Item")
Line = str | int | float | bool | None
"""A text. Programs also send numbers and null."""
Items = Annotated[list[Item], Meta(max_length=MOST_ITEMS)] | None
Words = Annotated[dict[str, Line], Meta(max_length=MOST_ITEMS)] | None


def line(value: Line) -> str:
    """Return the text of a field, or "" if the field is missing."""
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)[:LONGEST_LINE].replace("\r\n", "\n")


def linked(text: str, address: str) -> str:
    """Return a text without markup, as a link if it has an address."""
    return link(address, text) if address and text else literal(text)


def field(name: str, shown: str) -> str:
    """Return a field: its name in bold, and its converted value."""
    name = bold(literal(name))
    between = ":\n" if "\n" in shown else ": "
    return f"{name}{between}{shown}" if name and shown else name or shown
