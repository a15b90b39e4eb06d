"""The held messages of a user, as the author sees them. The author can withdraw them."""

from typing import Literal

import msgspec
from flask import Response
from msgspec import UNSET, UnsetType

from chatroom.base.models import File, Held, given_client_id
from chatroom.live.protocol import timestamp
from chatroom.web.kit.api import answer, api_blueprint, enter
from chatroom.web.kit.login import get_access, page_blueprint
from chatroom.web.kit.openapi import operation
from chatroom.web.kit.pages import Page, redirect_to
from chatroom.web.kit.services import services

api = api_blueprint("held_api")
blueprint = page_blueprint("held")


class HeldMessage(msgspec.Struct, kw_only=True):
    """One of the user's own held or rejected messages."""

    id: str
    client_id: str | UnsetType = UNSET
    text: str
    held_at: str
    reply_to: int | UnsetType = UNSET
    files: tuple[File, ...] = ()
    state: Literal["waiting", "rejected"]
    reason: str | UnsetType = UNSET


class HeldList(msgspec.Struct):
    """The user's own held messages in a room, the oldest first."""

    room: str
    held: list[HeldMessage]


class WithdrawnAnswer(msgspec.Struct):
    """The held message that was withdrawn or dismissed."""

    room: str
    id: str


@api.get("/rooms/<slug>/held")
@operation("read", {200: HeldList})
def list_held_messages(slug: str) -> Response:
    """Your messages that wait for approval.

    The list includes rejected messages until you dismiss them. Approved messages are in the room instead.
    """
    access = enter(slug)
    held = [wire_held(each) for each in services.moderation.approval.list_of(access)]
    return answer(HeldList(access.room.slug, held))


@api.delete("/rooms/<slug>/held/<held_id>")
@operation("post", {200: WithdrawnAnswer}, refusals=(409,))
def withdraw_held_message(slug: str, held_id: str) -> Response:
    """Withdraw a held message.

    If the message was rejected, this dismisses it. If it was approved in the meantime, the status is 409.
    """
    access = enter(slug)
    services.moderation.approval.withdraw(access, held_id)
    return answer(WithdrawnAnswer(access.room.slug, held_id))


@blueprint.post("/chatroom/<slug>/held/<held_id>/withdraw")
def withdraw_by_form(slug: str, held_id: str) -> Page:
    """Withdraw a held message by form, without JavaScript."""
    access = get_access(slug)
    services.moderation.approval.withdraw(access, held_id)
    return redirect_to("pages.room", slug=access.room.slug)


def as_held(held: list[Held]) -> str:
    """Encode the list in the format of the API, for a data attribute that a script reads."""
    return msgspec.json.encode([wire_held(each) for each in held]).decode()


def wire_held(held: Held) -> HeldMessage:
    """A held message as its author sees it. An approved message stays `waiting` until it is posted."""
    is_rejected = held.state == "rejected"
    return HeldMessage(
        id=held.id,
        client_id=given_client_id(held.client_id),
        text=held.text,
        held_at=timestamp(held.held_at),
        reply_to=UNSET if held.reply_to is None else held.reply_to,
        files=held.files,
        state="rejected" if is_rejected else "waiting",
        reason=held.reason if is_rejected else UNSET,
    )
