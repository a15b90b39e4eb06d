"""Choose the lane of a request from its route. The lane is the queue in which the request waits for a thread.

A view that uses a scarce resource must be marked with the lane of this resource. Otherwise, `Places.run` fails.
"""

from collections.abc import Callable, Mapping
from typing import Any

from flask import Flask, request
from werkzeug.exceptions import HTTPException
from werkzeug.http import parse_options_header

from chatroom.asgi.budget import account_of
from chatroom.asgi.request_queue import PERSON
from chatroom.base.threads import Lane, current_lane
from chatroom.web.kit.cookies import find_session
from chatroom.web.kit.security import UNSAFE_METHODS, View
from chatroom.web.kit.sockets import header, is_secure, token_of

LANES: Mapping[str, Lane] = {
    "health.livez": "probes",
    "health.readyz": "probes",
    "metrics.metrics": "probes",
    "static": "static",
    "notifications.manifest": "static",
    "notifications.service_worker": "static",
}
"""The lanes of routes that are fast and the same for all users."""
MARK = "scarce"


def scarce(lane: Lane, *, only_with_files: bool = False) -> Callable[[View], View]:
    """Mark a view whose unsafe methods use a scarce resource (with `only_with_files`: only if the body has files)."""

    def mark(view: View) -> View:
        setattr(view, MARK, (lane, only_with_files))
        return view

    return mark


def register(app: Flask) -> None:
    """Store the lane of each request in `current_lane`."""

    @app.before_request
    def enter() -> None:
        current_lane.set(_lane(app, request.endpoint, request.method, request.content_type or ""))

    @app.teardown_request
    def leave(_: BaseException | None) -> None:
        current_lane.set(None)


def lane_of(app: Flask) -> Callable[[Mapping[str, Any]], Lane]:
    """Make the function that finds the lane of a request from the request's head, outside of Flask."""
    routes = app.url_map.bind("localhost")

    def find_lane(scope: Mapping[str, Any]) -> Lane:
        try:
            endpoint, _ = routes.match(scope["path"], scope["method"])
        except HTTPException:  # no such route
            return "pages"
        return _lane(app, endpoint, scope["method"], header(scope, "content-type"))

    return find_lane


def find_credential(trusted_proxies: int, scope: Mapping[str, Any]) -> str:
    """Find the access token or cookie of a request. Do not check it."""
    return token_of(scope) or find_session(header(scope, "cookie"), is_secure=is_secure(scope, trusted_proxies))


def brings_files(content_type: str) -> bool:
    """Whether a content type is that of a form with files, according to the parser that Flask uses."""
    return parse_options_header(content_type)[0].lower() == "multipart/form-data"


def tell_person(user_id: str) -> None:
    """Tell the request queue and the memory budget which user sent this request."""
    scope = request.environ.get("asgi.scope")
    if scope is not None:
        scope[PERSON] = user_id
        account_of(scope).person = user_id


def _lane(app: Flask, endpoint: str | None, method: str, content_type: str) -> Lane:
    name = endpoint or ""
    if name in LANES:
        return LANES[name]
    lane: Lane
    lane, only_with_files = getattr(app.view_functions.get(name), MARK, ("pages", False))
    return lane if method in UNSAFE_METHODS and (not only_with_files or brings_files(content_type)) else "pages"
