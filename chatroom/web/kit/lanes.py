"""The queue in which a request waits for a thread, by its route.

A view that uses a scarce resource is marked with it; an unmarked view fails when it does so.
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from flask import Flask, request
from werkzeug.exceptions import HTTPException
from werkzeug.http import parse_options_header

from chatroom.asgi.budget import account_of
from chatroom.asgi.request_queue import PERSON
from chatroom.base.threads import Lane, current_lane
from chatroom.web.kit.cookies import find_session
from chatroom.web.kit.sockets import bearer_of, header, is_secure

LANES: Mapping[str, Lane] = {
    "health.livez": "probes",
    "health.readyz": "probes",
    "static": "static",
    "notifications.manifest": "static",
    "notifications.service_worker": "static",
}
"""Of what is the same for everybody, and needs neither the database nor long."""
SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}
MARK = "scarce"

View = TypeVar("View", bound=Callable[..., Any])


def scarce(lane: Lane, *, only_with_files: bool = False) -> Callable[[View], View]:
    """Mark a view whose unsafe methods do what is scarce; `only_with_files` is for forms that may bring some."""

    def mark(view: View) -> View:
        setattr(view, MARK, (lane, only_with_files))
        return view

    return mark


def register(app: Flask) -> None:
    """Mark each request with its lane."""

    @app.before_request
    def enter() -> None:
        current_lane.set(_lane(app, request.endpoint, request.method, request.content_type or ""))

    @app.teardown_request
    def leave(_: BaseException | None) -> None:
        current_lane.set(None)


def lane_of(app: Flask) -> Callable[[Mapping[str, Any]], Lane]:
    """What tells the lane of a request from its head, without Flask."""
    routes = app.url_map.bind("localhost")

    def find_lane(scope: Mapping[str, Any]) -> Lane:
        try:
            endpoint, _ = routes.match(scope["path"], scope["method"])
        except HTTPException:  # no such page, or another method or address
            return "pages"
        return _lane(app, endpoint, scope["method"], header(scope, "content-type"))

    return find_lane


def credential_of(trusted_proxies: int) -> Callable[[Mapping[str, Any]], str]:
    """What finds in a request what may say whose it is: as the views do, but nothing of it is checked here."""

    def find_credential(scope: Mapping[str, Any]) -> str:
        token = bearer_of(header(scope, "authorization"))
        if token is not None:
            return token
        return find_session(header(scope, "cookie"), is_secure=is_secure(scope, trusted_proxies))

    return find_credential


def brings_files(content_type: str) -> bool:
    """Whether a body is a form that may have files, read as Flask reads it."""
    return parse_options_header(content_type)[0].lower() == "multipart/form-data"


def tell_person(user_id: str) -> None:
    """Report the authenticated user of this request to the queue and the budget."""
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
    if method in SAFE_METHODS or (only_with_files and not brings_files(content_type)):
        return "pages"
    return lane
