"""Shared parts of the JSON API: the authenticated user, the typed request, and the response.

A request is authenticated by an access token, or by the session cookie and the CSRF token.
"""

from functools import partial
from typing import Any, TypeVar, cast

import msgspec
from flask import Blueprint, Response, current_app, g, request
from flask_login import current_user as cookie_user
from flask_wtf.csrf import CSRFError

from chatroom.base.access import Access
from chatroom.base.errors import Refused
from chatroom.people.tokens import grant_of
from chatroom.web.kit.errors import explain
from chatroom.web.kit.login import LoggedIn, find_by_token
from chatroom.web.kit.openapi import operation_of
from chatroom.web.kit.security import csrf
from chatroom.web.kit.services import services
from chatroom.web.kit.sockets import bearer_of

WRONG_HEADER = "The header Authorization has no valid access token."
Struct = TypeVar("Struct", bound=msgspec.Struct)


def api_blueprint(name: str) -> Blueprint:
    """Make a blueprint under /api for users with a token or a cookie. Each route needs an `@operation`."""
    blueprint = Blueprint(name, __name__, url_prefix="/api")
    csrf.exempt(blueprint)  # `authenticate` checks the CSRF token
    blueprint.before_request(authenticate)
    return blueprint


def authenticate() -> Response | None:
    """Find the user of the request, or answer 401. With a cookie, an unsafe method also needs the CSRF token."""
    token = bearer_of(request.headers.get("Authorization"))
    by_cookie = cookie_user if token is None and cookie_user.is_authenticated else None
    person = by_cookie if token is None else find_by_token(token)
    if person is None:
        return explain(401, "Log in first." if token is None else WRONG_HEADER)
    if token is None:
        try:
            csrf.protect()
        except CSRFError:
            return explain(403, "The header X-CSRFToken is missing or out of date. Load the page again.")
    else:
        known = operation_of(current_app, request.endpoint)
        if known is None or known.scope is None:
            raise Refused("out_of_scope", "Access tokens cannot be used for this address.")
        grant_of(person.session).check(known.scope, (request.view_args or {}).get("slug"))
    g.person = person
    return None


def asker() -> LoggedIn:
    """The user who sent this request."""
    return cast("LoggedIn", g.person)


def enter(slug: str) -> Access:
    """The room and the user's rights in it, within the scopes of the token."""
    person, rooms = asker(), services.rooms.access
    return grant_of(person.session).enter(slug, partial(rooms.find_for, person.id), partial(rooms.get_for, person.id))


def body_as(kind: type[Struct]) -> Struct:
    """The JSON body as a typed value; raise `Refused` for an invalid body."""
    if request.mimetype != "application/json":
        raise Refused("invalid", "Send a JSON object with Content-Type: application/json.")
    try:
        return msgspec.json.decode(request.get_data(), type=kind)
    except (msgspec.MsgspecError, RecursionError, UnicodeError, ValueError) as error:
        raise Refused("invalid", f"The body is not valid: {error}") from error


def query_as(kind: type[Struct]) -> Struct:
    """The query of the address as a typed value. Parameters that are not fields of `kind` are ignored."""
    try:
        return msgspec.convert(request.args.to_dict(), kind, strict=False)
    except (msgspec.ValidationError, ValueError) as error:
        raise Refused("invalid", f"The address is not valid: {str(error)[:200]}") from error


def answer(value: Any, status: int = 200) -> Response:
    """Make a JSON response from a typed value."""
    return Response(msgspec.json.encode(value), status, content_type="application/json")
