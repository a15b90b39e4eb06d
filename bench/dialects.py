"""The protocol of each server: how to open a connection, post a message, and read a frame.

Each text contains a mark and a number, so that one search counts deliveries in any dialect.
"""

import json
import re
from dataclasses import dataclass
from typing import Protocol

from bench.words import sentences

MARK = b"Zq7Xv"  # frame headers, ids and the words cannot contain this sequence
NUMBERED = re.compile(MARK + rb"(\d{7})")
_SAID = sentences(4096, 40)
_MARKED_UP = sentences(4096, 40, marked_up=True)


def text(number: int, *, marked_up: bool = False) -> str:
    """Return the text of a numbered message, 52 characters long (a few more with Markdown)."""
    said = _MARKED_UP if marked_up else _SAID
    return f"{MARK.decode()}{number:07d}{said[number % len(said)]}"


def whole(payload: bytes) -> list[int]:
    """Return the numbers of the messages in a payload whose text is complete and unchanged."""
    numbers = []
    for match in NUMBERED.finditer(payload):
        number = int(match[1])
        if any(payload.startswith(text(number, marked_up=way).encode(), match.start()) for way in (False, True)):
            numbers.append(number)
    return numbers


@dataclass(frozen=True)
class Step:
    """A payload to send, and the answer to wait for before the next step."""

    send: bytes
    expect: bytes


class Dialect(Protocol):
    """The protocol of a server, as the crowd needs it."""

    ping: bytes | None
    pong: bytes
    deflates: bool
    """Whether the load generator offers compression, as browsers do."""

    def request(self, port: int, room: str, member: int, after: int | None) -> bytes:
        """Return the HTTP request of the handshake."""

    def steps(self, room: str, member: int, after: int | None) -> list[Step]:
        """Return the steps after the handshake, until the member is in the room."""

    def post(self, room: str, number: int, words: str) -> bytes:
        """Return the payload that posts a message."""


OFFER = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits"
"""The offer of Chromium."""


def upgrade(port: int, target: str, *headers: str) -> bytes:
    """Return a websocket handshake."""
    lines = [
        f"GET {target} HTTP/1.1",
        f"Host: 127.0.0.1:{port}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        *headers,
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n"


class Ours:
    """This server's protocol; a frame can carry many messages."""

    ping: bytes | None = None
    pong = b""
    deflates = True

    def __init__(self, tokens: list[str], run: str) -> None:
        self._tokens, self._run = tokens, run

    def request(self, port: int, room: str, member: int, after: int | None) -> bytes:
        """Follow a room from a revision, or from its end."""
        cursor = "" if after is None else f"&after={after}"
        token = self._tokens[member % len(self._tokens)]
        return upgrade(port, f"/live?room={room}{cursor}", f"Authorization: Bearer {token}", OFFER)

    def steps(self, room: str, member: int, after: int | None) -> list[Step]:
        """Wait for the end of the history; with a cursor, start counting at once."""
        return [] if after is not None else [Step(b"", b'"caught_up"')]

    def post(self, room: str, number: int, words: str) -> bytes:
        """Post with a client id, as the page does, so that a repetition is harmless."""
        return (
            f'{{"type":"post","room":"{room}","client_id":"{self._run}-{number}","text":{json.dumps(words)}}}'.encode()
        )


class SocketIO:
    """Socket.IO 5 on Engine.IO 4, websocket only: for Node and Flask-SocketIO."""

    ping: bytes | None = b"2"
    pong = b"3"
    deflates = False

    def request(self, port: int, room: str, member: int, after: int | None) -> bytes:
        """Open the websocket of Engine.IO."""
        return upgrade(port, f"/socket.io/?EIO=4&transport=websocket&room={room}&name=member-{member}")

    def steps(self, room: str, member: int, after: int | None) -> list[Step]:
        """Wait for Engine.IO, then join the namespace."""
        return [Step(b"", b'0{"sid"'), Step(b"40", b"40{")]

    def post(self, room: str, number: int, words: str) -> bytes:
        """Emit an event."""
        return f'42["message",{{"text":{json.dumps(words)}}}]'.encode()


class Plain:
    """One JSON object per frame: for Django Channels and the bare broadcasts."""

    ping: bytes | None = None
    pong = b""
    deflates = False

    def request(self, port: int, room: str, member: int, after: int | None) -> bytes:
        """Open the address of the room."""
        return upgrade(port, f"/{room}")

    def steps(self, room: str, member: int, after: int | None) -> list[Step]:
        """Return no steps: a connection is in its room at once."""
        return []

    def post(self, room: str, number: int, words: str) -> bytes:
        """Send name and text."""
        return f'{{"name":"member-{number % 20}","text":{json.dumps(words)}}}'.encode()


class XMPP:
    """XMPP over websocket (RFC 7395): anonymous log-in, one multi-user chat."""

    ping: bytes | None = None
    pong = b""
    deflates = False
    _open = b"<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='localhost' version='1.0'/>"

    def request(self, port: int, room: str, member: int, after: int | None) -> bytes:
        """Request the XMPP subprotocol."""
        return upgrade(port, "/xmpp-websocket", "Sec-WebSocket-Protocol: xmpp")

    def steps(self, room: str, member: int, after: int | None) -> list[Step]:
        """Log in, bind, and enter the room, which sends its subject last."""
        auth = b"<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='ANONYMOUS'/>"
        bind = b"<iq xmlns='jabber:client' type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>"
        enter = (
            f"<presence xmlns='jabber:client' to='{room}@rooms.localhost/member-{member}'>"
            "<x xmlns='http://jabber.org/protocol/muc'/></presence>"
        )
        return [
            Step(self._open, b"features>"),
            Step(auth, b"<success"),
            Step(self._open, b"features>"),
            Step(bind, b"<jid>"),
            Step(enter.encode(), b"<subject"),
        ]

    def post(self, room: str, number: int, words: str) -> bytes:
        """Send a message to the room."""
        return (
            f"<message xmlns='jabber:client' type='groupchat' to='{room}@rooms.localhost' id='m{number}'>"
            f"<body>{words}</body></message>"
        ).encode()
