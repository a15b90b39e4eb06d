"""Serve the room in this process: one port, one event loop.

A reader that stalls is bounded by the kernel's send buffer, which is set here, and by uvicorn's flow control.
"""

import errno
import logging
import socket
import sys

from chatroom.config import Settings
from chatroom.errors import ChatroomError

APP = "test_mongo:asgi"
GRACEFUL_SECONDS = 7  # and mongod has its two: ten in all
FAILED = 3  # uvicorn's own code for an app that does not start

_BACKLOG = 2048
_PING_SECONDS = 20
_LOG_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


class PortError(ChatroomError):
    """The address cannot be listened on; the text says what to do."""


def open_port(settings: Settings) -> socket.socket:
    """Bind and listen, so that a taken port is known before anything has started."""
    try:
        family, kind, _, _, address = socket.getaddrinfo(settings.ip, settings.port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind)
    except OSError as error:
        raise PortError(_explain(error, settings)) from error
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # Accepted connections inherit it; the kernel would keep up to 4 MB for every reader that stalls.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, settings.send_buffer_bytes)
        listener.bind(address)
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        raise PortError(_explain(error, settings)) from error
    return listener


def run(settings: Settings, listener: socket.socket) -> int:
    """Serve until a signal says stop; return the exit code."""
    import uvicorn  # noqa: PLC0415  (mongod boots before this is needed)

    logging.basicConfig(level=settings.log_level, format=_LOG_FORMAT)
    config = uvicorn.Config(
        APP,
        loop="uvloop",
        http="httptools",
        ws="websockets-sansio",  # 7 µs a send; the others take 9 and 11
        ws_max_size=settings.max_frame_bytes or sys.maxsize,
        ws_ping_interval=_PING_SECONDS,
        ws_ping_timeout=_PING_SECONDS,
        ws_per_message_deflate=False,  # costs more memory than the room
        proxy_headers=False,  # the app decides whom it trusts
        server_header=False,
        access_log=False,
        log_config=None,
        log_level="warning",
        backlog=_BACKLOG,
        timeout_graceful_shutdown=GRACEFUL_SECONDS,
    )
    server = uvicorn.Server(config)
    server.run(sockets=[listener])
    return 0 if server.started else FAILED


def _explain(error: OSError, settings: Settings) -> str:
    ip, port = settings.ip, settings.port
    if error.errno == errno.EADDRINUSE:
        return f"Port {port} is in use. End the program that has it, or set another one: PORT={port + 1}"
    if error.errno == errno.EACCES:
        return f"Port {port} is for the system's own programs. Set one above 1023, such as PORT=5000"
    return f"IP={ip} cannot be listened on: {error.strerror}. Set an address of this machine, such as 127.0.0.1"
