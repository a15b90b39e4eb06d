"""Export a room as text, as HTML that looks like the room, or as JSON lines."""

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, cast, get_args

import msgspec
from flask import Blueprint, Response, current_app, request

from chatroom.base.access import Access
from chatroom.base.errors import Refused
from chatroom.base.models import Message, Room
from chatroom.export.export import check_export, parse_days, text_lines
from chatroom.live.protocol import wire
from chatroom.web.export.download import hand_out
from chatroom.web.kit.login import current_user, login_required
from chatroom.web.kit.pages import Page, refusals_on, render
from chatroom.web.kit.services import services

Format = Literal["html", "text", "jsonl"]
FORMATS: dict[Format, tuple[str, str, str]] = {
    "html": ("A page that looks like the room", "html", "text/html"),
    "text": ("Plain text", "txt", "text/plain"),
    "jsonl": ("JSON lines, for programs", "jsonl", "application/jsonl"),
}
SHEETS = ("tokens", "base", "layout", "components", "chat", "marks", "rooms", "export")
JOINED_SECONDS = 600

blueprint = Blueprint("export", __name__)


class Asked(msgspec.Struct):
    """What the form holds."""

    format: str
    since: str
    until: str


def _form_page(slug: str, status: int = 200, msg: str = "") -> Response:
    formats = [(value, label) for value, (label, _, _) in FORMATS.items()]
    return render("export/export.html", status, room=_enter(slug).room, formats=formats, asked=_asked(), msg=msg)


@blueprint.get("/chatroom/<slug>/export")
@login_required
@refusals_on(_form_page)
def room(slug: str) -> Page:
    """The form; with a format, the file."""
    if not request.args.get("format"):
        return _form_page(slug)
    return _file(_enter(slug), _asked())


@blueprint.get("/account/data")
@login_required
def own_data() -> Response:
    """All data of the user, as JSON lines."""
    services.site.limits.export.check(current_user.id)
    held = ExitStack()
    held.enter_context(services.export.exports.slot(current_user.id))
    with ExitStack() as until_begun:
        until_begun.callback(held.close)
        records = services.export.own_data.read(current_user.user)
        until_begun.pop_all()
    lines = (msgspec.json.encode(record).decode() + "\n" for record in records)
    name = f"{current_user.username}.jsonl"
    return hand_out(name, "application/jsonl", lines, check=lambda: None, release=held.close)


def format_of(text: str) -> Format:
    """The format of that name; raise `Refused` for another."""
    if text not in get_args(Format):
        raise Refused("invalid", "The format of an export is html, text or jsonl.")
    return cast("Format", text)


def write(room: Room, format: Format, messages: Iterator[Message]) -> Iterator[str]:
    """The room in a format, piece by piece."""
    now = datetime.now(UTC)
    if format == "text":
        return text_lines(room, messages, now)
    if format == "jsonl":
        return (msgspec.json.encode(wire(message, "text")).decode() + "\n" for message in messages)
    return _html(room, messages, now)


def _file(access: Access, asked: Asked) -> Response:
    format = format_of(asked.format)
    days = parse_days(asked.since, asked.until)
    services.site.limits.export.check(access.user_id)
    held = ExitStack()
    held.enter_context(services.export.exports.slot(access.user_id))
    pieces = write(access.room, format, services.export.exports.read(access.room, days))
    _, ending, content_type = FORMATS[format]
    name = f"{access.room.slug}-{datetime.now(UTC):%Y-%m-%d}.{ending}"
    user_id, slug = access.user_id, access.room.slug

    def check() -> None:
        now = services.rooms.access.find_for(user_id, slug)
        if now is None:
            raise Refused("not_found", "You are no longer a member of this room.")
        check_export(now)

    return hand_out(name, content_type, pieces, check=check, release=held.close)


def _html(room: Room, messages: Iterator[Message], now: datetime) -> Iterator[str]:
    pieces: Any = current_app.jinja_env.get_template("export/_export.html").module
    yield str(pieces.head(room, services.settings.site_name, now, _styles()))
    previous: Message | None = None
    for message in messages:
        is_new_day = previous is None or previous.sent_at.date() != message.sent_at.date()
        if is_new_day:
            yield str(pieces.day(message.sent_at.date()))
        is_joined = (
            not is_new_day
            and previous is not None
            and previous.author.id == message.author.id
            and (message.sent_at - previous.sent_at).total_seconds() < JOINED_SECONDS
        )
        yield str(pieces.item(message, is_joined))
        previous = message
    yield str(pieces.foot())


def _styles() -> str:
    folder = Path(cast("str", current_app.static_folder)) / "css"
    return "\n".join((folder / f"{sheet}.css").read_text(encoding="utf-8") for sheet in SHEETS)


def _enter(slug: str) -> Access:
    access = services.rooms.access.get_for(current_user.id, slug)
    check_export(access)
    return access


def _asked() -> Asked:
    return Asked(
        format=request.args.get("format") or "html",
        since=request.args.get("from", ""),
        until=request.args.get("to", ""),
    )
