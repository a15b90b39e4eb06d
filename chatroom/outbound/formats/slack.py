"""The bodies of Slack's and Mattermost's incoming webhooks: a text, attachments and blocks.

The color of an attachment, the channel and the thread are ignored. Pictures become links: the server fetches nothing.
"""

import msgspec

from chatroom.base.models import ClientId
from chatroom.outbound.formats.blocks import Block, show_blocks
from chatroom.outbound.formats.dialects import from_slack, literal
from chatroom.outbound.formats.markdown import IsEscaped, bold, join, link
from chatroom.outbound.formats.shapes import Items, Line, field, line, linked


class Field(msgspec.Struct):
    """A field of an attachment."""

    title: Line = None
    value: Line = None


class Attachment(msgspec.Struct):
    """An attachment. `fallback` is shown only if nothing else is."""

    fallback: Line = None
    pretext: Line = None
    author_name: Line = None
    author_link: Line = None
    title: Line = None
    title_link: Line = None
    text: Line = None
    fields: Items[Field] = None
    blocks: Items[Block] = None
    actions: Items[Block] = None
    image_url: Line = None
    footer: Line = None


class Body(msgspec.Struct):
    """The body. With `mrkdwn: false`, the text has no markup."""

    text: Line = None
    mrkdwn: Line = None
    blocks: Items[Block] = None
    attachments: Items[Attachment] = None
    username: Line = None
    icon_emoji: Line = None
    client_id: ClientId | None = None


def own_text(body: Body, is_escaped: IsEscaped) -> str:
    """Return the part that the program itself wrote, which can mention people."""
    if body.client_id is not None:  # no other program sends this field
        return line(body.text)
    return literal(line(body.text)) if body.mrkdwn is False else from_slack(line(body.text), is_escaped)


def show(body: Body, own: str) -> str:
    """Return the text of the message. Blocks replace the text, as in Slack."""
    blocks = show_blocks(body.blocks)
    return join([blocks or own, *(_attachment(each) for each in body.attachments or ())])


def _attachment(each: Attachment) -> str:
    shown = join(
        [
            from_slack(line(each.pretext)),
            linked(line(each.author_name), line(each.author_link)),
            bold(linked(line(each.title), line(each.title_link))),
            from_slack(line(each.text)),
            join([field(line(one.title), from_slack(line(one.value))) for one in each.fields or ()], "\n"),
            show_blocks(each.blocks),
            show_blocks([Block(type="actions", elements=each.actions)]),
            link(line(each.image_url)) if each.image_url else "",
            literal(line(each.footer)),
        ]
    )
    return shown or literal(line(each.fallback))
