"""Replace a deleted user's name in a message, and remove what the message said before its edits.

The user's id stays. A second run changes nothing.
"""

import re
from collections.abc import Iterator
from html import escape
from typing import Any

import msgspec

from chatroom.base.models import FORMER_MEMBER, Author, FormerMember, Message, Reaction


def is_erased_with(former: FormerMember, message: Message) -> bool:
    """Return whether a message is erased with its author's account. Event lines about the author stay."""
    is_written = message.author.id == former.id and message.kind == "message"
    return former.is_erased and is_written and message.deleted_at is None


def without_name(former: FormerMember, message: Message) -> dict[str, Any]:
    """Return the new values of the fields in which a message names a former member."""
    return _author(former, message) | _mentions(former, message) | _reactions(former, message)


def _author(former: FormerMember, message: Message) -> dict[str, Any]:
    name = message.author.name
    if message.author.id != former.id or name == FORMER_MEMBER:
        return {}
    fields: dict[str, Any] = {"author.name": FORMER_MEMBER}
    if message.edited_at is not None:
        fields["versions"] = []
    if message.kind == "event" and message.text.startswith(name):  # "Alice joined"
        text = FORMER_MEMBER + message.text.removeprefix(name)
        fields |= {"text": text, "html": f"<p>{escape(text)}</p>"}
    return fields


def _mentions(former: FormerMember, message: Message) -> dict[str, Any]:
    """Replace the name in the HTML only. The text stays as its author typed it."""
    if former.id not in message.mentions:
        return {}
    shown = rf'(<span(?=[^>]* data-user="{re.escape(former.id)}")[^>]*>)@[^<]*(</span>)'
    html = re.sub(shown, rf"\1@{FORMER_MEMBER}\2", message.html)
    return {"html": html} if html != message.html else {}


def _reactions(former: FormerMember, message: Message) -> dict[str, Any]:
    reactions = tuple(_parted(former, message.reactions))
    return {"reactions": msgspec.to_builtins(reactions)} if reactions != message.reactions else {}


def _parted(former: FormerMember, reactions: tuple[Reaction, ...]) -> Iterator[Reaction]:
    """Replace the former member's name in the reactions. If `former.is_erased`, remove the member's reactions."""
    nobody = Author(former.id, FORMER_MEMBER)
    for each in reactions:
        people = [nobody if person.id == former.id else person for person in each.people]
        if former.is_erased:
            people = [person for person in people if person.id != former.id]
        if people:
            yield Reaction(each.emoji, tuple(people))
