"""The JSON API of messages (docs/protocol.md), for programs, and for pages without a websocket."""

from collections.abc import Sequence
from typing import Annotated

import msgspec
from flask import Response
from msgspec import UNSET, UnsetType

from chatroom.base.errors import Refused
from chatroom.base.models import ClientId, Held, Room
from chatroom.live.protocol import Cursor, FileIds, Format, WireMessage, wire
from chatroom.messages.history import History
from chatroom.messages.history import Page as MessagePage
from chatroom.messages.mentions import Unreached
from chatroom.messages.messages_store import Stored
from chatroom.messages.outcomes import HeldAnswer, StoredAnswer, answer_of
from chatroom.messages.posting import Submission
from chatroom.web.kit.api import answer, api_blueprint, asker, body_as, enter, query_as
from chatroom.web.kit.login import client_address
from chatroom.web.kit.openapi import operation
from chatroom.web.kit.services import services

MOST_MESSAGES = 100
READS = {"after": History.after, "before": History.before, "since": History.since, "around": History.around}

blueprint = api_blueprint("api")

Sequences = Annotated[str, msgspec.Meta(pattern=rf"^\d{{1,15}}(,\d{{1,15}}){{0,{MOST_MESSAGES - 1}}}\Z")]


class Reading(msgspec.Struct):
    """Which messages to read: at most one of the first five fields, a maximum number, and a format."""

    after: Cursor | UnsetType = UNSET
    before: Cursor | UnsetType = UNSET
    since: Cursor | UnsetType = UNSET
    around: Cursor | UnsetType = UNSET
    sequences: Sequences | UnsetType = UNSET
    limit: int | UnsetType = UNSET
    format: Format = "text"


class Post(msgspec.Struct, forbid_unknown_fields=True):
    """The body of a post."""

    text: str
    client_id: ClientId | None = None
    reply_to: Cursor | None = None
    files: FileIds = ()


class Changes(msgspec.Struct):
    """A part of a room."""

    room: str
    revision: int
    messages: list[WireMessage]
    more: bool
    newer: bool | UnsetType = UNSET


@blueprint.get("/rooms/<slug>/messages")
@operation("read", {200: Changes}, query=Reading)
def list_messages(slug: str) -> Response:
    """Changes after a revision; or messages before, since or around a sequence; or the newest messages.

    With `after`, you get the messages that changed after this revision, ordered by revision. If `more` is true, send
    the next request with `after` set to the `revision` of the answer.
    """
    person = asker()
    room = enter(slug).room
    asked = query_as(Reading)
    if sum(getattr(asked, name) is not UNSET for name in (*READS, "sequences")) > 1:
        raise Refused("invalid", "Give only one of `after`, `before`, `since`, `around` and `sequences`.")
    if asked.after is not UNSET and asked.format != "brief":  # a user who only counts messages is not shown as present
        services.live.presences.visit(room.id, person.person)
    return answer(_changes(room.slug, _page(room, asked), asked.format))


@blueprint.post("/rooms/<slug>/messages")
@operation(
    "post",
    {201: StoredAnswer, 200: StoredAnswer, 202: HeldAnswer},
    body=Post,
    example={"text": "Hello", "client_id": "hello-1"},
    refusals=(409,),
)
def post_message(slug: str) -> Response:
    """Post a message.

    You choose the `client_id`. If you send the same `client_id` again, nothing is stored: the answer is the first
    message, with the status 200 instead of 201. The status 202 means that the message waits for a moderator's approval;
    nobody else sees it yet.
    """
    access, body = enter(slug), body_as(Post)
    outcome = services.messages.posting.post(
        Submission(
            access=access,
            author=asker().author,
            address=client_address(),
            text=body.text,
            client_id=body.client_id,
            reply_to=body.reply_to,
            file_ids=body.files,
        )
    )
    return answer_post(access.room, outcome, services.messages.posting.find_unreached(access, body.text))


def answer_post(room: Room, outcome: Stored | Held, unreached: Sequence[Unreached] = ()) -> Response:
    """The response to a post, as JSON."""
    stored_status = 200 if isinstance(outcome, Stored) and outcome.is_repeated else 201
    status = 202 if isinstance(outcome, Held) else stored_status
    return answer(answer_of(room.slug, outcome, unreached), status)


def _page(room: Room, asked: Reading) -> MessagePage:
    history, limit = services.messages.history, _limit(asked)
    for name, read_page in READS.items():
        if (place := getattr(asked, name)) is not UNSET:
            return read_page(history, room, place, limit)
    if asked.sequences is not UNSET:
        store, sequences = services.messages.store, {int(each) for each in asked.sequences.split(",")}
        revision = store.newest_revision(room.id)  # read before the messages, as in `History`
        found = store.by_sequences(room.id, sequences)
        return MessagePage(messages=found, revision=revision, more=False)
    return history.newest(room, limit)


def _limit(asked: Reading) -> int:
    """The requested number of messages, at least 1 and at most the maximum."""
    usual = services.settings.history_page
    return min(max(usual if asked.limit is UNSET else asked.limit, 1), max(MOST_MESSAGES, usual))


def _changes(slug: str, page: MessagePage, format: Format) -> Changes:
    messages = [wire(message, format) for message in page.messages]
    return Changes(room=slug, revision=page.revision, messages=messages, more=page.more, newer=page.newer or UNSET)
