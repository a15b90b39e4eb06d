"""Serve in this process: one port, one event loop.

Two limits bound the unsent data of a reader: the kernel's send buffer (set here), and uvicorn's flow control.
"""

import errno
import gc
import importlib
import logging
import socket
import sys
import threading
from collections.abc import Awaitable, Callable
from types import FrameType, ModuleType
from typing import TYPE_CHECKING, Any

from chatroom.base.config import Settings
from chatroom.base.errors import ChatroomError

if TYPE_CHECKING:
    import uvicorn

APP = "test_mongo:asgi"
GRACEFUL_SECONDS = 3  # for running requests
STOP_SECONDS = GRACEFUL_SECONDS + 5  # 5 s for the engine; mongod then has less than 2 s: 10 s in all
FAILED = 3  # uvicorn's own exit code if the app does not start
GARBAGE = 5_000, 20, 20
"""The thresholds of the garbage collector; Python's 700, 10, 10 cause a full collection every few seconds."""

BALANCES = sys.platform == "linux"
"""Whether the kernel distributes connections among sockets with `SO_REUSEPORT`. The kernel of macOS does not."""

_BACKLOG = 2048
_PING_SECONDS = 20
NO_NEWS = {
    "ASGI callable returned without completing handshake.",
    "ASGI callable returned without completing response.",  # a cancelled download
    "Invalid UTF-8 sequence received from client.",
}


class PortError(ChatroomError):
    """The server cannot listen on the address; the text states the remedy."""


def open_ports(settings: Settings) -> list[socket.socket]:
    """Open a listening socket for each process, before the processes start. Linux distributes connections.

    On other systems the processes share one socket, and may get very different numbers of connections.
    """
    listeners: list[socket.socket] = []
    try:
        family, kind, _, _, address = socket.getaddrinfo(settings.ip, settings.port, type=socket.SOCK_STREAM)[0]
        for _ in range(settings.web_concurrency):
            if listeners and not BALANCES:
                listeners.append(listeners[0].dup())
                continue
            listeners.append(socket.socket(family, kind))
            _bind(listeners, address, settings)
            address = listeners[0].getsockname()
        for listener in listeners:
            listener.listen(_BACKLOG)
    except OSError as error:
        for listener in listeners:
            listener.close()
        raise PortError(_explain(error, settings)) from error
    return listeners


def _bind(listeners: list[socket.socket], address: Any, settings: Settings) -> None:
    first, new = listeners[0], listeners[-1]
    new.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    # Accepted connections inherit this size. By default, the kernel buffers up to 4 MB for every stalled reader.
    new.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, settings.send_buffer_bytes)
    # With one shared socket, one process would get most of the connections. The first socket is bound without
    # sharing: this detects any other server on this port, even if it shares the port.
    if new is not first:
        new.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    new.bind(address)
    if settings.web_concurrency > 1 and BALANCES:
        # without this option, no other program of this account can share the port
        new.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)


def run(
    settings: Settings,
    listener: socket.socket,
    *,
    heartbeat: Callable[[], Awaitable[None]] | None = None,
    on_ready: Callable[[str], None] = lambda _: None,
    on_stop: Callable[[], None] = lambda: None,
) -> int:
    """Serve until a signal arrives; return the exit code. The event loop awaits `heartbeat` every second.

    As soon as requests are served, `on_ready` gets the result of the start (`chatroom.services.Start`). Raises
    `SettingsError` if no request could ever be served.
    """
    import uvicorn  # noqa: PLC0415  (mongod boots before this is needed)

    start = import_app().asgi.start()

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            if self.started:
                on_ready(start)
            threading.Thread(target=settle, name="settle", daemon=True).start()  # in parallel with the first requests

        async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
            import_app().asgi.release_clients()
            await super().shutdown(sockets)

        def handle_exit(self, sig: int, frame: FrameType | None) -> None:
            on_stop()
            super().handle_exit(sig, frame)

    logging.getLogger("uvicorn.error").addFilter(is_news)
    server = Server(_configure(settings, heartbeat))
    server.run(sockets=[listener])
    return 0 if server.started else FAILED


def _configure(settings: Settings, heartbeat: Callable[[], Awaitable[None]] | None) -> "uvicorn.Config":
    import uvicorn  # noqa: PLC0415  (as above)

    return uvicorn.Config(
        APP,
        loop="uvloop",
        lifespan="on",  # otherwise uvicorn ignores that the start of the app failed
        http="chatroom.asgi.http_protocol:HttpProtocol",
        ws="chatroom.live.sockets.websocket:WebSocketProtocol",
        ws_max_size=settings.max_frame_bytes or sys.maxsize,
        ws_ping_interval=_PING_SECONDS,
        ws_ping_timeout=_PING_SECONDS,
        ws_per_message_deflate=False,  # would need 50 kB per connection; `frames.py` compresses instead
        proxy_headers=False,  # the app decides which proxies it trusts
        server_header=False,
        access_log=False,
        log_config=None,
        log_level="warning",
        backlog=_BACKLOG,
        timeout_graceful_shutdown=GRACEFUL_SECONDS,
        timeout_notify=1,
        callback_notify=heartbeat,
    )


def settle() -> None:
    """Compile the templates, and exclude all present objects from garbage collection.

    A full collection of these objects would stop every thread for a tenth of a second.
    """
    app = import_app().app
    for name in app.jinja_env.list_templates():
        app.jinja_env.get_template(name)
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GARBAGE)


def import_app() -> ModuleType:
    return importlib.import_module(APP.partition(":")[0])


def is_news(record: logging.LogRecord) -> bool:
    """Return False for refused handshakes, cancelled downloads and invalid UTF-8, which uvicorn logs as errors."""
    return record.msg not in NO_NEWS


def _explain(error: OSError, settings: Settings) -> str:
    ip, port = settings.ip, settings.port
    if error.errno == errno.EADDRINUSE:
        return f"Port {port} is in use. Stop the program that uses it, or set another port: PORT={port + 1}"
    if error.errno == errno.EACCES:
        return f"Port {port} is reserved for privileged programs. Set a port above 1023, such as PORT=5000"
    return f"IP={ip} cannot be used: {error.strerror}. Set an address of this machine, such as 127.0.0.1"
