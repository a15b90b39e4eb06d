"""The blocks of Slack's Block Kit. An unknown block is skipped."""

import re
from collections.abc import Callable, Iterable
from typing import Union

import msgspec

from chatroom.messages.markdown.emoji import find_emoji
from chatroom.outbound.formats.dialects import from_slack, literal, time_of
from chatroom.outbound.formats.markdown import DIVIDER, bold, code, escape, join, link
from chatroom.outbound.formats.shapes import Items, Line, line

_between_lists = re.compile(r"^( *(?:-|1\.) .*)\n\n(?= *(?:-|1\.) )", re.MULTILINE)


class Style(msgspec.Struct):
    """The style of a text in a `rich_text` block."""

    bold: bool | None = None
    italic: bool | None = None
    strike: bool | None = None
    code: bool | None = None


class Block(msgspec.Struct):
    """A block, or an element or a text in a block. `type` decides which fields it has."""

    type: str = ""
    text: Union["Block", Line] = None
    title: Union["Block", Line] = None
    fields: Items["Block"] = None
    elements: Items["Block"] = None
    accessory: Union["Block", None] = None
    alt_text: Line = None
    image_url: Line = None
    url: Line = None
    name: Line = None
    unicode: Line = None
    user_id: Line = None
    usergroup_id: Line = None
    channel_id: Line = None
    range: Line = None
    fallback: Line = None
    timestamp: int | None = None
    style: Style | str | None = None
    indent: int | None = None


def show_blocks(blocks: Iterable[Block] | None) -> str:
    """Return the blocks as Markdown."""
    return join([_show(each) for each in blocks or ()])


def _show(block: Block) -> str:
    show = BLOCKS.get(block.type)
    return show(block) if show is not None else ""


def _text(value: Block | Line) -> str:
    """Return a text object. Only those of the type `plain_text` have no markup."""
    if not isinstance(value, Block):
        return literal(line(value))
    if isinstance(value.text, Block):
        return ""
    return literal(line(value.text)) if value.type == "plain_text" else from_slack(line(value.text))


def _section(block: Block) -> str:
    accessory = _element(block.accessory) if block.accessory is not None else ""
    return join([_text(block.text) if block.text else "", *(_text(each) for each in block.fields or ()), accessory])


def _image(block: Block) -> str:
    label = block.title.text if isinstance(block.title, Block) else block.title
    words = label if isinstance(label, str) and label else line(block.alt_text)
    return link(line(block.image_url), words) if block.image_url else literal(words)


def _elements(between: str) -> Callable[[Block], str]:
    return lambda block: join([_element(each) for each in block.elements or ()], between)


def _element(each: Block) -> str:
    if each.type == "image":
        return _image(each)
    if each.type in {"mrkdwn", "plain_text"}:
        return _text(each)
    label = each.text.text if isinstance(each.text, Block) else each.text  # a button
    return link(line(each.url), label if isinstance(label, str) else "") if each.url else ""


def _rich_text(block: Block) -> str:
    parts = [_show(each) for each in block.elements or () if each.type.startswith("rich_text_")]
    return _between_lists.sub(r"\1\n", join(parts))


def _rich_list(block: Block) -> str:
    sign = "1." if block.style == "ordered" else "-"
    indent = "    " * min(max(block.indent or 0, 0), 5)
    return join([f"{indent}{sign} {_inline(each)}" for each in block.elements or ()], "\n")


def _rich_quote(block: Block) -> str:
    return "> " + _inline(block).replace("\n", "\n> ")


def _rich_code(block: Block) -> str:
    words = "".join(
        line(each.text) or line(each.url) for each in block.elements or () if not isinstance(each.text, Block)
    )
    return "```\n" + words.replace("```", "'''").strip("\n") + "\n```"


def _inline(block: Block) -> str:
    return "".join(_styled(each) for each in block.elements or ())


def _styled(each: Block) -> str:
    """Return an inline element in its style. Markdown wants no spaces next to its signs."""
    show = INLINE.get(each.type)
    text, style = show(each) if show is not None else "", each.style
    words = text.strip()
    if not isinstance(style, Style) or not words or "\n" in words:
        return text
    marks = "**" * bool(style.bold) + "_" * bool(style.italic) + "~~" * bool(style.strike)
    shown = code(_words(each)) if style.code and each.type == "text" else words
    before, after = text[: len(text) - len(text.lstrip())], text[len(text.rstrip()) :]
    return f"{before}{marks}{shown}{marks[::-1]}{after}"


def _words(each: Block) -> str:
    return "" if isinstance(each.text, Block) else line(each.text)


def _emoji(each: Block) -> str:
    return find_emoji(line(each.name)) or f":{line(each.name)}:"


BLOCKS: dict[str, Callable[[Block], str]] = {
    "section": _section,
    "header": lambda block: bold(_text(block.text)),
    "divider": lambda _: DIVIDER,
    "context": _elements(" "),
    "image": _image,
    "actions": _elements(" · "),
    "markdown": lambda block: from_slack(_words(block)),
    "rich_text": _rich_text,
    "rich_text_section": _inline,
    "rich_text_list": _rich_list,
    "rich_text_quote": _rich_quote,
    "rich_text_preformatted": _rich_code,
}
INLINE: dict[str, Callable[[Block], str]] = {
    "text": lambda each: escape(_words(each)),
    "link": lambda each: link(line(each.url), _words(each)),
    "emoji": _emoji,
    "user": lambda each: escape(f"@{line(each.user_id)}"),
    "usergroup": lambda each: escape(f"@{line(each.usergroup_id)}"),
    "broadcast": lambda each: escape(f"@{line(each.range)}"),
    "channel": lambda each: escape(f"#{line(each.channel_id)}"),
    "date": lambda each: escape(line(each.fallback) or time_of(each.timestamp or 0)),
}
