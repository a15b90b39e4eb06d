"""Previews: what a text would look like as a message. Nothing is stored, and nobody else sees it."""

import msgspec
from flask import Response

from chatroom.base.access import Access
from chatroom.web.kit.api import answer, api_blueprint, body_as, enter
from chatroom.web.kit.openapi import operation
from chatroom.web.kit.services import services

blueprint = api_blueprint("previews")


class Previewing(msgspec.Struct, forbid_unknown_fields=True):
    """The text of a message that is not posted yet."""

    text: str


class PreviewAnswer(msgspec.Struct):
    """What the message would look like."""

    room: str
    html: str


@blueprint.post("/rooms/<slug>/preview")
@operation("post", {200: PreviewAnswer}, body=Previewing, example={"text": "Hello *world*"})
def preview_message(slug: str) -> Response:
    """Render a text as a message, with the mentions of this room. Nothing is stored."""
    access, body = enter(slug), body_as(Previewing)
    return answer(PreviewAnswer(access.room.slug, preview_of(access, body.text)))


def preview_of(access: Access, text: str) -> str:
    """Return the HTML of a text, which is safe to insert in a page. Count it against the limit. Raises `Refused`."""
    services.site.limits.previewing.check(access.user_id)
    return services.messages.texts.preview(access, text)
