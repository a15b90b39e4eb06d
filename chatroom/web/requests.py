"""Run Flask in a pool of threads, as an ASGI application that limits requests and responses."""

import sys
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from a2wsgi import WSGIMiddleware
from flask import Flask
from werkzeug.wsgi import ClosingIterator

from chatroom.asgi.budget import Budget
from chatroom.asgi.downloads import Downloads
from chatroom.asgi.large_answers import in_one
from chatroom.asgi.request_queue import LEAVE, QUICK_AT_ONCE, RequestQueue
from chatroom.asgi.slow_requests import Application, SlowRequests
from chatroom.asgi.uploads import Uploads
from chatroom.base.addresses import network_of
from chatroom.base.config import Settings
from chatroom.web.files.files import is_upload, most_upload_bytes
from chatroom.web.kit.lanes import find_credential, lane_of
from chatroom.web.kit.sockets import address_of

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


def make_requests(
    app: Flask, settings: Settings, find_user: Callable[[Mapping[str, Any]], str | None]
) -> tuple[Application, Budget]:
    """Make the application and the memory budget of its requests. `find_user` returns the id of a request's user."""

    def find_network(scope: Mapping[str, Any]) -> str:
        return network_of(address_of(scope, settings.trusted_proxies))

    budget = Budget(
        in_all=settings.max_held_bytes,
        per_address=settings.max_held_bytes_per_address,
        per_person=settings.max_held_bytes_per_user,
        connections_per_address=settings.max_http_connections_per_address,
        address_of=find_network,
        is_behind_proxies=settings.trusted_proxies > 0,
    )
    queue = RequestQueue(
        WSGIMiddleware(cast("Any", in_one(_leaving(app))), workers=settings.request_threads + QUICK_AT_ONCE),
        threads=settings.request_threads,
        find_lane=lane_of(app),
        find_credential=partial(find_credential, settings.trusted_proxies),
        find_address=find_network,
    )
    uploads = Uploads(
        SlowRequests(queue, most_bytes=settings.max_request_bytes),
        queue,
        is_upload=is_upload,
        find_user=find_user,
        small_bytes=settings.max_request_bytes or sys.maxsize,
        most_bytes=most_upload_bytes(settings),
    )
    return Downloads(uploads), budget


def _leaving(app: "WSGIApplication") -> "WSGIApplication":
    """Tell the queue when the thread of a request is free, even if the client is still reading the response."""

    def wsgi_app(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        leave = environ["asgi.scope"][LEAVE]
        try:
            return ClosingIterator(app(environ, start_response), leave)
        except BaseException:
            leave()
            raise

    return wsgi_app
