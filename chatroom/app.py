"""Create the Flask application, and the ASGI application that the server runs.

Creating them connects to nothing and starts nothing. The first request, or the server's start, opens the services.
"""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flask import Flask, request

from chatroom import web
from chatroom.asgi.budget import BUDGET
from chatroom.asgi.kept_answers import KeptAnswers
from chatroom.asgi.large_answers import LargeAnswers
from chatroom.asgi.slow_requests import Receive, Scope, Send
from chatroom.base.config import Settings, load_settings
from chatroom.live.engine import Engine
from chatroom.live.sockets.endpoint import Entrance, LiveEndpoint
from chatroom.live.sockets.visitor import Visitor
from chatroom.messages.async_store import AsyncMessages
from chatroom.outbound.notifications import Notifier
from chatroom.services import Services, Start
from chatroom.site.background import stop_all
from chatroom.web.kit.sockets import address_of, is_own_origin, sign_in
from chatroom.web.kit.static_files import unchanging_prefix
from chatroom.web.requests import make_requests

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

    from chatroom.live.sockets.socketio import SocketIO

ROOT = Path(__file__).resolve().parent.parent
WITHOUT_DATABASE = {
    "static",
    "health.livez",
    "health.readyz",
    "metrics.metrics",
    "notifications.manifest",
    "notifications.service_worker",
}
SOCKET_IO = "/socket.io/"


class Application(Flask):
    """The Flask application."""

    def log_exception(self, exc_info: Any) -> None:
        """Log the exception of a request without its address, because an address may contain a secret."""
        self.logger.error("a request failed", exc_info=exc_info, extra={"route": request.endpoint or "none"})


def create_app(settings: Settings | None = None) -> Flask:
    """Create the Flask application. Without `settings`, read the settings from the environment."""
    settings = settings or load_settings(os.environ)
    app = Application("chatroom", root_path=str(ROOT), static_folder="static", template_folder="templates")
    services = Services(settings)
    app.extensions["chatroom"] = services
    web.register(app, settings)
    app.wsgi_app = _open_first(app, app.wsgi_app)  # type: ignore[assignment, method-assign]

    @app.before_request
    def prepare() -> None:
        if request.endpoint not in WITHOUT_DATABASE:
            services.prepare()

    return app


def _open_first(app: Flask, inner: "WSGIApplication") -> "WSGIApplication":
    """Open the services before the first request, because reading the request's session needs the secret key."""

    def wsgi_app(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        open_app(app)
        return inner(environ, start_response)

    return wsgi_app


def open_app(app: Flask) -> Services:
    """Open the services of the application once, and give Flask the secret key."""
    services: Services = app.extensions["chatroom"]
    services.open()
    app.secret_key = services.secret_key
    return services


class ASGI:
    """The ASGI application. The engine (`live`) serves websockets; Flask, in threads, serves everything else."""

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._services: Services = app.extensions["chatroom"]
        self._live: LiveEndpoint | None = None
        self._socketio: SocketIO | None = None
        requests, self._budget = make_requests(app, self._services.settings, self._find_user)
        self._requests = KeptAnswers(requests, unchanging_prefix(app))
        self._answers = LargeAnswers(self._answer)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request or websocket, or react to the start and the stop of the server."""
        if scope["type"] == "lifespan":
            scope.get("state", {})[BUDGET] = self._budget  # for the connections of the server
            await self._live_span(receive, send)
        elif scope["type"] == "http":
            await self._answers(scope, receive, send)
        elif self._is_for_socketio(scope):
            await self._get_socketio()(scope, receive, send)
        elif scope["path"] == "/live":
            await self._get_live()(scope, receive, send)
        else:
            await send({"type": "websocket.close"})

    def start(self) -> Start:
        """Open and prepare the services before the server prints its address."""
        return open_app(self._app).start()

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._is_for_socketio(scope):
            await self._get_socketio()(scope, receive, send)
        else:
            await self._requests(scope, receive, send)

    def _is_for_socketio(self, scope: Scope) -> bool:
        return bool(self._services.settings.socketio and scope["path"].startswith(SOCKET_IO))

    def release_clients(self) -> None:
        """Answer waiting long-polls, because a stopping server waits for unfinished responses."""
        if self._socketio is not None:
            self._socketio.release_all()

    async def _live_span(self, receive: Receive, send: Send) -> None:
        await receive()
        services = open_app(self._app)
        rooms, is_in_memory = services.rooms, services.settings.is_in_memory
        preferences_in = rooms.preferences.preferences_in
        notifier = Notifier(
            services.outbound.push,
            room_of=rooms.store.find,
            preferences_in=preferences_in,
            origin=services.messages.store.origin,
        )
        notifier.thread.start()
        store_now = None if is_in_memory else AsyncMessages(services.database, services.messages.store)
        engine = services.live.make_engine(services.bridge, store_now, posted_here=notifier.take)
        await engine.start()
        self._live = self._make_live(engine)
        for thread in services.threads:
            thread.start()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        if self._socketio is not None:
            await self._socketio.stop()
            self._socketio = None
        # Not on the event loop: a background thread may need the event loop before it can stop.
        await engine.run(stop_all, services.threads)
        await engine.stop()
        self._live = None
        if store_now is not None:
            await store_now.close()
        notifier.thread.stop()
        self._services.close()
        await send({"type": "lifespan.shutdown.complete"})

    def _get_socketio(self) -> "SocketIO":
        """Return the Socket.IO endpoint. The first connection that uses Socket.IO loads its library."""
        if self._socketio is None:
            from chatroom.live.sockets.socketio import SocketIO  # noqa: PLC0415

            settings = self._services.settings
            most_bytes, processes = settings.max_frame_bytes, settings.web_concurrency
            self._socketio = SocketIO(self._get_live(), most_bytes=most_bytes, processes=processes)
        return self._socketio

    def _get_live(self) -> LiveEndpoint:
        assert self._live is not None, "the server did not send its start event"  # noqa: S101
        return self._live

    def _make_live(self, engine: Engine) -> LiveEndpoint:
        services, settings = self._services, self._services.settings
        entrance = Entrance(
            address_of=lambda scope: address_of(scope, settings.trusted_proxies),
            sign_in=self._sign_in,
            is_own_origin=lambda scope: is_own_origin(scope, settings),
        )
        return services.live.make_endpoint(engine, entrance)

    def _find_user(self, scope: Mapping[str, Any]) -> str | None:
        visitor = self._sign_in(scope)
        return visitor.person.id if visitor else None

    def _sign_in(self, scope: Mapping[str, Any]) -> Visitor | None:
        self._services.prepare()
        return sign_in(self._app, scope)
