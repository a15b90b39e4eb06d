"""The JSON API (docs/protocol.md): read and post messages, for scripts and where websockets do not get through.

By access token, or by session cookie with the CSRF token in a header; by both only the access token counts.
"""

from typing import Any, get_args

import msgspec
from flask import Blueprint, Response, g, request
from flask_login import current_user as cookie_user
from flask_wtf.csrf import CSRFError
from msgspec import UNSET, UnsetType

from chatroom.errors import Refused
from chatroom.live.protocol import ClientId, Cursor, Format, WireMessage, wire
from chatroom.messages import SERVER_MADE
from chatroom.messages import Page as MessagePage
from chatroom.web import login as signing
from chatroom.web.errors import explain
from chatroom.web.login import SignedIn
from chatroom.web.security import csrf
from chatroom.web.services import services
from chatroom.web.sockets import bearer_of

MOST_MESSAGES = 100
LONGEST_NUMBER = 30

blueprint = Blueprint("api", __name__, url_prefix="/api")
csrf.exempt(blueprint)  # checked below, and only where a cookie is what signs in


class Post(msgspec.Struct, forbid_unknown_fields=True):
    """The body of a post."""

    text: str
    client_id: ClientId | None = None
    reply_to: Cursor | None = None


class Changes(msgspec.Struct):
    """A part of a room."""

    room: str
    revision: int
    messages: list[WireMessage]
    more: bool


class StoredAnswer(msgspec.Struct):
    """What a post became."""

    room: str
    client_id: str | UnsetType
    id: str
    sequence: int
    revision: int


@blueprint.before_request
def authenticate() -> Response | None:
    """Know who asks, or answer 401; a cookie needs the CSRF token wherever something changes."""
    token = bearer_of(request.headers.get("Authorization", ""))
    if token is not None:
        person = signing.find_by_token(token)
    else:
        person = cookie_user if cookie_user.is_authenticated else None
    if person is None:
        return explain(401, "Log in first.")
    if token is None:
        try:
            csrf.protect()
        except CSRFError:
            return explain(403, "The header X-CSRFToken is missing or out of date. Load the page again.")
    g.person = person
    return None


@blueprint.get("/rooms/<slug>/messages")
def read(slug: str) -> Response:
    """Changes after a revision, messages before a sequence, or the newest page."""
    person: SignedIn = g.person
    room = services.rooms.get_for(person.id, slug).room
    after, before = _number("after"), _number("before")
    limit = _limit()
    if after is not None and before is not None:
        raise Refused("invalid", "Ask for what is after a revision or before a sequence, not for both.")
    if after is not None:
        services.visits.take([(room.id, person.author)])
        page = services.messages.after(room, after, limit)
    elif before is not None:
        page = services.messages.before(room, before, limit)
    else:
        page = services.messages.newest(room, limit)
    return _json(_changes(room.slug, page, _format()))


@blueprint.post("/rooms/<slug>/messages")
def post(slug: str) -> Response:
    """Store a message; 200 instead of 201 when it was stored before."""
    person: SignedIn = g.person
    room = services.rooms.get_for(person.id, slug).room
    body = _body()
    draft = services.messages.draft(person.author, body.text, body.client_id, reply_to=body.reply_to)
    services.limits.posting.check(person.id, signing.address())
    stored = services.messages.post(room, draft)
    message = stored.message
    answer = StoredAnswer(
        room=room.slug,
        client_id=UNSET if message.client_id.startswith(SERVER_MADE) else message.client_id,
        id=message.id,
        sequence=message.sequence,
        revision=message.revision,
    )
    return _json(answer, 200 if stored.is_repeated else 201)


def _body() -> Post:
    """The JSON body as a typed value; whatever else it is, no part of it reaches a query."""
    if request.mimetype != "application/json":
        raise Refused("invalid", "Send a JSON object, with Content-Type: application/json.")
    try:
        return msgspec.json.decode(request.get_data(), type=Post)
    except (msgspec.MsgspecError, RecursionError, UnicodeError, ValueError) as error:
        raise Refused("invalid", f"The body is not understood: {error}") from error


def _number(name: str) -> int | None:
    text = request.args.get(name)
    if text is None:
        return None
    try:
        return msgspec.convert(text[:LONGEST_NUMBER], Cursor, strict=False)
    except msgspec.ValidationError as error:
        raise Refused("invalid", f"`{name}` is not a revision or sequence that a room can have.") from error


def _limit() -> int:
    """How many messages are asked for, brought within bounds."""
    most = max(MOST_MESSAGES, services.settings.history_page)
    text = request.args.get("limit", str(services.settings.history_page))
    try:
        return min(max(int(text[:LONGEST_NUMBER]), 1), most)
    except ValueError as error:
        raise Refused("invalid", "`limit` is not a number.") from error


def _format() -> Format:
    text = request.args.get("format", "text")
    for format in get_args(Format):
        if text == format:
            return format  # type: ignore[no-any-return]
    raise Refused("invalid", "`format` is text or html.")


def _changes(slug: str, page: MessagePage, format: Format) -> Changes:
    messages = [wire(message, format) for message in page.messages]
    return Changes(room=slug, revision=page.revision, messages=messages, more=page.more)


def _json(value: Any, status: int = 200) -> Response:
    return Response(msgspec.json.encode(value), status, content_type="application/json")
