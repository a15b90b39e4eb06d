"""Export a room as text, as HTML that looks like the room, or as JSON lines."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, cast

import msgspec
from flask import Response, current_app, request

from chatroom.base.access import Access
from chatroom.base.errors import Refused
from chatroom.base.models import Message, Room
from chatroom.export.export import check_export, clean, escape_controls, parse_days, text_lines
from chatroom.live.protocol import wire
from chatroom.web.export.download import hand_out
from chatroom.web.kit.login import current_user, get_access, page_blueprint
from chatroom.web.kit.pages import Page, Shown, refusals_on, render
from chatroom.web.kit.services import services

Format = Literal["html", "text", "jsonl"]
FORMATS: dict[Format, tuple[str, str, str]] = {
    "html": ("A page that looks like the room", "html", "text/html"),
    "text": ("Plain text", "txt", "text/plain"),
    "jsonl": ("JSON lines, for programs", "jsonl", "application/jsonl"),
}
SHEETS = ("tokens", "base", "layout", "components", "chat", "marks", "rooms", "export")
JOINED_SECONDS = 600

blueprint = page_blueprint("export")


def _form_page(slug: str, **shown: Shown) -> Response:
    formats = [(value, label) for value, (label, _, _) in FORMATS.items()]
    return render("export/export.html", room=_enter(slug).room, formats=formats, asked=request.args, **shown)


@blueprint.get("/chatroom/<slug>/export")
@refusals_on(_form_page)
def room(slug: str) -> Page:
    """Show the form. If the query names a format, send the file instead."""
    return _file(_enter(slug), request.args["format"]) if request.args.get("format") else _form_page(slug)


@blueprint.get("/account/data")
def own_data() -> Response:
    """All data of the user, as JSON lines."""

    def lines() -> Iterator[str]:
        return map(_line, services.export.own_data.read(current_user.user))

    return hand_out(f"{current_user.username}.jsonl", "application/jsonl", lines)


def write(room: Room, format: Format, messages: Iterator[Message]) -> Iterator[str]:
    """Return the pieces of a room's export."""
    now = datetime.now(UTC)
    if format == "text":
        return text_lines(room, messages, now)
    if format == "jsonl":
        return (_line(wire(message, "text")) for message in messages)
    return map(clean, _html(room, messages, now))


def _file(access: Access, format: str) -> Response:
    if format not in FORMATS:
        raise Refused("invalid", "The format of an export is html, text or jsonl.")
    _, ending, content_type = FORMATS[format]
    room, user_id = access.room, access.user_id
    days = parse_days(request.args.get("from", ""), request.args.get("to", ""))

    def check() -> None:
        now = services.rooms.access.find_for(user_id, room.slug)
        if now is None:
            raise Refused("not_found", "You are no longer a member of this room.")
        check_export(now)

    name = f"{room.slug}-{datetime.now(UTC):%Y-%m-%d}.{ending}"
    return hand_out(name, content_type, lambda: write(room, format, services.export.exports.read(room, days)), check)


def _line(value: Any) -> str:
    return escape_controls(msgspec.json.encode(value).decode()) + "\n"


def _html(room: Room, messages: Iterator[Message], now: datetime) -> Iterator[str]:
    pieces: Any = current_app.jinja_env.get_template("export/_export.html").module
    yield str(pieces.head(room, services.moderation.naming.name, now, _styles()))
    previous: Message | None = None
    for message in messages:
        is_new_day = previous is None or previous.sent_at.date() != message.sent_at.date()
        if is_new_day:
            yield str(pieces.day(message.sent_at.date()))
        is_joined = (
            not is_new_day
            and previous is not None
            and previous.author == message.author
            and (message.sent_at - previous.sent_at).total_seconds() < JOINED_SECONDS
        )
        yield str(pieces.item(message, is_joined))
        previous = message
    yield str(pieces.foot())


def _styles() -> str:
    folder = Path(cast("str", current_app.static_folder)) / "css"
    return "\n".join((folder / f"{sheet}.css").read_text(encoding="utf-8") for sheet in SHEETS)


def _enter(slug: str) -> Access:
    access = get_access(slug)
    check_export(access)
    return access
