"""The bodies of Discord's webhooks: a text and embeds. Pictures become links: the server fetches nothing."""

import msgspec

from chatroom.outbound.formats.dialects import from_discord, literal
from chatroom.outbound.formats.markdown import IsEscaped, bold, join, link
from chatroom.outbound.formats.shapes import Items, Line, field, line, linked


class Named(msgspec.Struct):
    """An author, a footer, a picture, or a field of an embed."""

    name: Line = None
    text: Line = None
    value: Line = None
    url: Line = None


class Embed(msgspec.Struct):
    """An embed. Its color and its time are ignored."""

    title: Line = None
    url: Line = None
    description: Line = None
    author: Named | None = None
    fields: Items[Named] = None
    image: Named | None = None
    footer: Named | None = None


class Body(msgspec.Struct):
    """The body."""

    content: Line = None
    embeds: Items[Embed] = None
    username: Line = None


def own_text(body: Body, is_escaped: IsEscaped) -> str:
    """Return the part that the program itself wrote, which can mention people."""
    return from_discord(line(body.content), is_escaped)


def show(body: Body, own: str) -> str:
    """Return the text of the message."""
    return join([own, *(_embed(each) for each in body.embeds or ())])


def _embed(each: Embed) -> str:
    author, footer, image = each.author or Named(), each.footer or Named(), each.image or Named()
    return join(
        [
            linked(line(author.name), line(author.url)),
            bold(linked(line(each.title), line(each.url))),
            from_discord(line(each.description)),
            join([field(line(one.name), from_discord(line(one.value))) for one in each.fields or ()], "\n"),
            link(line(image.url)) if image.url else "",
            literal(line(footer.text)),
        ]
    )
