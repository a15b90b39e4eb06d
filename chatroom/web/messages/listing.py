"""Render the messages of a page, with lines for days and authors, and with quotes."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from functools import lru_cache
from typing import Any, cast

from flask import Flask
from markupsafe import Markup, escape

from chatroom.base.models import Message
from chatroom.messages.markdown.plain import plain_text
from chatroom.web.kit.login import current_user
from chatroom.web.kit.times import Times, times_of_reader

KEPT_MARKUP = 2000
"""The maximum number of rendered messages in the cache."""
KEPT_DAYS = 100
JOINED_FOR = timedelta(minutes=10)
LONGEST_EXCERPT = 200


def message_list(app: Flask) -> Callable[..., str]:
    """Make the function that shows messages in templates. Rendered messages are cached.

    Each day (in the reader's time zone) starts with a line. Consecutive messages of one author share an author line.
    The function shows `panel` below the message with the sequence `target`. `moderates`: the reader sees all changes.
    """

    @lru_cache(maxsize=KEPT_MARKUP)
    def markup(message: Message, *how: object, viewer: str, times: Times) -> str:
        module: Any = app.jinja_env.get_template("messages/_message.html").module
        return cast("str", module.message_item(message, *how, viewer=viewer, times=times))

    @lru_cache(maxsize=KEPT_DAYS)
    def day_line(day: date) -> str:
        module: Any = app.jinja_env.get_template("messages/_message.html").module
        return cast("str", module.day_line(day))

    def show(
        messages: Sequence[Message],
        quoted: Mapping[int, Message],
        room_url: str,
        target: int | None = None,
        panel: str = "",
        *,
        moderates: bool = False,
    ) -> str:
        pieces: list[str] = []
        previous: Message | None = None
        day: date | None = None
        user_id: str = current_user.id
        times = times_of_reader()
        for message in messages:
            is_same_day = day == (day := times.day_of(message.sent_at))
            if not is_same_day:
                pieces.append(day_line(day))
            is_joined = is_same_day and previous is not None and _continues(previous, message)
            is_target = message.sequence == target
            quote = quoted.get(message.reply_to) if message.reply_to is not None else None
            # Users share the cached markup. So `viewer` and `times` must differ where the markup differs.
            viewer = _viewer_of(message, user_id)
            has_link = message.edited_at is not None and (moderates or message.author.id == user_id)
            pieces.append(markup(message, room_url, is_joined, is_target, quote, has_link, viewer=viewer, times=times))
            if is_target:
                pieces.append(escape(panel))
            previous = message
        return Markup("\n").join(pieces)

    return show


def _continues(previous: Message, message: Message) -> bool:
    """Whether a message needs no author line, because the previous message has the same author, with the same name."""
    return (
        previous.author == message.author
        and previous.kind == message.kind
        and not message.reply_to
        and message.sent_at - previous.sent_at < JOINED_FOR
    )


def names(message: Message, user_id: str) -> bool:
    """Whether a message mentions a user, or everybody."""
    return user_id in message.mentions or "room" in message.mentions


def _viewer_of(message: Message, user_id: str) -> str:
    """The user's id if the message mentions the user or has a reaction of the user; otherwise empty."""
    if not message.reactions and not message.mentions:
        return ""
    is_among = any(person.id == user_id for reaction in message.reactions for person in reaction.people)
    return user_id if is_among or names(message, user_id) else ""


def excerpt_of(message: Message) -> str:
    """Make the text of a quote, in one line. static/state/messages/quotes.js makes the same text."""
    if message.deleted_at is not None:
        return "This message was deleted."
    text = plain_text(message.html)
    if not text and message.files:
        return message.files[0].name
    return text if len(text) <= LONGEST_EXCERPT else f"{text[:LONGEST_EXCERPT]}…"
