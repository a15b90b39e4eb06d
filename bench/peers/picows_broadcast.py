"""A broadcast with picows, a websocket library in Cython: sends each message to all connections, stores nothing."""

import os

import uvloop
from picows import WSFrame, WSListener, WSMsgType, WSTransport, WSUpgradeRequest, ws_create_server

everybody: set[WSTransport] = set()


class Broadcast(WSListener):  # type: ignore[misc]
    """One connection."""

    def on_ws_connected(self, transport: WSTransport) -> None:
        """Add the connection."""
        everybody.add(transport)

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        """Send a text to all connections."""
        if frame.msg_type == WSMsgType.TEXT:
            payload = frame.get_payload_as_bytes()
            for other in everybody:
                other.send(WSMsgType.TEXT, payload)
        elif frame.msg_type == WSMsgType.CLOSE:
            transport.disconnect()

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        """Remove the connection."""
        everybody.discard(transport)


async def serve() -> None:
    """Serve until killed."""

    def listener(_: WSUpgradeRequest) -> Broadcast:
        return Broadcast()

    server = await ws_create_server(listener, "127.0.0.1", int(os.environ["PORT"]), backlog=4096)
    await server.serve_forever()


uvloop.run(serve())
