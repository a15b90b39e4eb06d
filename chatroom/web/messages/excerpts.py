"""A message in one line of plain text, for quotes."""

from markupsafe import Markup

from chatroom.base.models import Message

LONGEST = 200


def excerpt_of(message: Message) -> str:
    """What a quote of a message says; static/state/messages/quotes.js says the same."""
    if message.deleted_at is not None:
        return "This message was deleted."
    text = Markup(message.html).striptags()  # noqa: S704  to take the markup away
    if not text and message.files:
        return message.files[0].name
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
