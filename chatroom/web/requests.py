"""The pages and the API as an ASGI application: Flask in a pool of threads, behind bounds on requests and responses."""

import sys
from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from typing import TYPE_CHECKING, Any, cast

from a2wsgi import WSGIMiddleware
from flask import Flask
from werkzeug.wsgi import ClosingIterator

from chatroom.asgi.budget import Budget, Shares
from chatroom.asgi.downloads import Downloads
from chatroom.asgi.large_answers import in_one
from chatroom.asgi.request_queue import LEAVE, QUICK_AT_ONCE, RequestQueue
from chatroom.asgi.slow_requests import SlowRequests
from chatroom.asgi.uploads import Uploads
from chatroom.base.addresses import network_of
from chatroom.base.config import Settings
from chatroom.web.files.files import is_upload, most_upload_bytes
from chatroom.web.kit.lanes import credential_of, lane_of
from chatroom.web.kit.sockets import address_of

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


class Requests:
    """Answers requests. `budget` counts the bytes that all of them hold; `find_user` finds who sends one."""

    def __init__(self, app: Flask, settings: Settings, find_user: Callable[[Mapping[str, Any]], str | None]) -> None:
        def find_network(scope: Mapping[str, Any]) -> str:
            return network_of(address_of(scope, settings.trusted_proxies))

        self.budget = Budget(
            Shares(
                in_all=settings.max_held_bytes,
                per_address=settings.max_held_bytes_per_address,
                per_person=settings.max_held_bytes_per_user,
                connections_per_address=settings.max_http_connections_per_address,
            ),
            address_of=find_network,
            is_behind_proxies=settings.trusted_proxies > 0,
        )
        self.queue = RequestQueue(
            WSGIMiddleware(cast("Any", in_one(_leaving(app))), workers=settings.request_threads + QUICK_AT_ONCE),
            threads=settings.request_threads,
            find_lane=lane_of(app),
            find_credential=credential_of(settings.trusted_proxies),
            find_address=find_network,
        )
        self._inner = Downloads(
            Uploads(
                SlowRequests(self.queue, most_bytes=settings.max_request_bytes),
                self.queue,
                is_upload=is_upload,
                find_user=find_user,
                small_bytes=settings.max_request_bytes or sys.maxsize,
                most_bytes=most_upload_bytes(settings),
            )
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        await self._inner(scope, receive, send)


def _leaving(app: "WSGIApplication") -> "WSGIApplication":
    """Tell the queue when a request's thread is free: earlier than a slow reader has read the answer."""

    def wsgi_app(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        leave = environ["asgi.scope"][LEAVE]
        try:
            return ClosingIterator(app(environ, start_response), leave)
        except BaseException:
            leave()
            raise

    return wsgi_app
