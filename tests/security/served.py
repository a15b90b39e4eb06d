"""The server as these tests run it, `python -m tests.security.served`: with constants that nobody else needs to set.

It pings nobody who does not ask for it: on a busy machine, clients that are meant to stay would be let go.
"""

from typing import Any

from websockets.frames import Frame

from chatroom.live import engine
from chatroom.live.sockets import websocket
from chatroom.serve import server
from chatroom.serve import start as serve

IMPATIENCE = b"lose patience with me"
"""A client that sends this as a pong is pinged at once, and has half a second to answer."""
SETTLED = "settled"
"""Printed when what is made once beside the first visitors is made: memory and threads are compared from then on."""

_settle = server.settle
_handle_pong = websocket.WebSocketProtocol.handle_pong


def settle_and_say() -> None:
    """As the server does, and say so."""
    _settle()
    print(SETTLED, flush=True)


def handle_pong(self: Any, event: Frame) -> None:
    """As the server does, but for the one that asks for impatience."""
    if bytes(event.data) == IMPATIENCE:
        self.stop_keepalive()
        self.ping_interval = self.ping_timeout = 0.5
        self.send_keepalive_ping()
    else:
        _handle_pong(self, event)


if __name__ == "__main__":
    server._PING_SECONDS = 3600
    server.settle = settle_and_say
    engine.TICK_SECONDS = 0.1
    websocket.LINGER_SECONDS = 0.5
    websocket.WebSocketProtocol.handle_pong = handle_pong  # type: ignore[method-assign]
    raise SystemExit(serve.serve())
