"""Read the body of a request to an incoming webhook: find its format by its fields, and make the text of a message."""

import codecs
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

import msgspec

from chatroom.base.errors import Refused
from chatroom.messages.markdown.emoji import find_emoji
from chatroom.outbound.formats import alerts, discord, notes, slack
from chatroom.outbound.formats.markdown import IsEscaped, is_everybody, is_nobody, limit_mentions, shorten
from chatroom.outbound.formats.shapes import line

OWN_FIELDS = {"text", "client_id"}
"""Only a body without other fields can mention everybody."""
HELP = (
    'Send JSON with one of these fields: "text", "attachments" or "blocks" (as for Slack and Mattermost), "content" or '
    '"embeds" (as for Discord), "alerts" (as Alertmanager and Grafana do), "title" or "message". Or send a form with '
    '"text" or "payload", or plain text.'
)


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """What a program posts. `username` is what the program calls itself, and `icon` is its emoji."""

    text: str
    client_id: str | None = None
    username: str = ""
    icon: str = ""


class Format(msgspec.Struct, frozen=True):
    """A format: the type of its bodies, the text of a message, and the part of it that can mention people."""

    body: Any
    show: Callable[[Any, str], str]
    own_text: Callable[[Any, IsEscaped], str] = lambda *_: ""


SLACK = Format(slack.Body, slack.show, slack.own_text)
DISCORD = Format(discord.Body, discord.show, discord.own_text)
NOTE = Format(notes.Body, notes.show)
FORMATS = {
    "alerts": Format(alerts.Body, alerts.show),
    "blocks": SLACK,
    "text": SLACK,
    "embeds": DISCORD,
    "content": DISCORD,
    "message": NOTE,
    "attachments": SLACK,
    "title": NOTE,
}
"""The format that each field shows. The first field that a body has decides."""
_escapes = re.compile(rb"\\\\|\\u[dD][89abAB]\w\w\\u[dD][c-fC-F]\w\w|(?P<half>\\u[dD][89a-fA-F]\w\w)")


def read_plain(data: bytes, most: int) -> Said:
    """Read a plain text, shortened to `most` characters. Scripts in browsers send JSON with the type of plain text."""
    if data.lstrip()[:1] == b"{":
        with suppress(Refused):
            return read_json(data, most)
    try:
        return Said(text=shorten(_in_utf8(data, "strict").decode(), most))
    except UnicodeError as error:
        raise Refused("invalid", "The text is neither UTF-8 nor Windows-1252.") from error


def read_form(fields: Mapping[str, str], most: int) -> Said:
    """Read a form. Its field `payload`, or Discord's `payload_json`, is a JSON body."""
    payload = fields.get("payload") or fields.get("payload_json")
    return read_json(payload.encode() if payload else msgspec.json.encode(fields), most)


def read_json(data: bytes, most: int) -> Said:
    """Read a JSON body. Its text is shortened to `most` characters. Raises `Refused` (`invalid`)."""
    try:
        return _read(_repaired(data), most)
    except (msgspec.MsgspecError, RecursionError, UnicodeError, ValueError) as error:
        raise Refused("invalid", f"The body is not valid: {str(error)[:200]}. {HELP}") from error


def _repaired(data: bytes) -> bytes:
    """Return JSON in UTF-8, without halves of characters."""
    data = _in_utf8(data, "replace")
    return _escapes.sub(lambda match: rb"\ufffd" if match["half"] else match[0], data) if rb"\u" in data else data


def _in_utf8(data: bytes, errors: str) -> bytes:
    """Return a text in UTF-8. PowerShell sends Windows-1252, or a mark at the start."""
    data = data.removeprefix(codecs.BOM_UTF8)
    try:
        data.decode()
    except UnicodeDecodeError:
        data = data.decode("cp1252", errors).encode()
    return data


def _read(data: bytes, most: int) -> Said:
    fields = msgspec.json.decode(data, type=dict[str, msgspec.Raw])
    given = {name for name, value in fields.items() if bytes(value) != b"null"}
    format = next((format for name, format in FORMATS.items() if name in given), None)
    if format is None:
        raise Refused("invalid", f"The body has no text. {HELP}")
    body = msgspec.json.decode(data, type=format.body)
    is_plain = given <= OWN_FIELDS
    own = format.own_text(body, is_nobody if is_plain else is_everybody)
    text = shorten(format.show(body, own), most)
    return Said(
        text=text if is_plain else shorten(limit_mentions(text, own), most),  # what was cut off may have been code
        client_id=getattr(body, "client_id", None),
        username=line(getattr(body, "username", None)),
        icon=find_emoji(line(getattr(body, "icon_emoji", None)).strip(": ")) or "",
    )
