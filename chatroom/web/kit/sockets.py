"""Authenticate a websocket by its handshake, outside of any Flask request."""

from collections.abc import Mapping
from typing import Any

from flask import Flask
from werkzeug.sansio.utils import host_is_trusted

from chatroom.base import addresses
from chatroom.base.config import Settings
from chatroom.live.sockets.visitor import Visitor
from chatroom.people.tokens import grant_of
from chatroom.services import Services
from chatroom.web.kit.configuration import words_of
from chatroom.web.kit.cookies import find_secret

Scope = Mapping[str, Any]


def sign_in(app: Flask, scope: Scope) -> Visitor | None:
    """Find the visitor of a handshake in the database, by access token or by session cookie."""
    services: Services = app.extensions["chatroom"]
    proxies = services.settings.trusted_proxies
    secret = token_of(scope)
    is_by_cookie = secret is None
    if is_by_cookie:
        secret = find_secret(app, header(scope, "cookie"), is_secure=is_secure(scope, proxies))
    found = services.people.sessions.find_valid(secret or "", "browser" if is_by_cookie else "token")
    if found is None:
        return None
    session, user = found
    return Visitor(
        person=user.person,
        session_id=session.id,
        expires_at=session.expires_at,
        address=address_of(scope, proxies),
        is_by_cookie=is_by_cookie,
        grant=grant_of(session),
    )


def is_own_origin(scope: Scope, settings: Settings) -> bool:
    """Whether a page of this site opens the websocket: Origin must be exactly the scheme and host of this site."""
    host, allowed = header(scope, "host"), words_of(settings.allowed_hosts)
    if not host or (allowed and not host_is_trusted(host, allowed)):
        return False
    scheme = "https" if is_secure(scope, settings.trusted_proxies) else "http"
    return header(scope, "origin") == f"{scheme}://{host}"


def is_secure(scope: Scope, trusted_proxies: int) -> bool:
    """Whether the client uses TLS, to this server or to a trusted proxy."""
    return addresses.is_secure(str(scope.get("scheme", "")), header(scope, "x-forwarded-proto"), trusted_proxies)


def address_of(scope: Scope, trusted_proxies: int) -> str:
    """The address of the client, according to the trusted proxies."""
    client = scope.get("client")
    return addresses.address_of(client[0] if client else "", header(scope, "x-forwarded-for"), trusted_proxies)


def token_of(scope: Scope) -> str | None:
    """The access token of a request, as `bearer_of` finds it."""
    is_sent = any(key == b"authorization" for key, _ in scope["headers"])
    return bearer_of(header(scope, "authorization") if is_sent else None)


def bearer_of(authorization: str | None) -> str | None:
    """The access token in an Authorization header: empty for other schemes, None without the header.

    A request with the header never counts as a request of the browser whose cookie it has.
    """
    if authorization is None:
        return None
    scheme, _, token = authorization.partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def header(scope: Scope, name: str) -> str:
    """The values of a header in one text, separated by commas (for the header Cookie: by semicolons)."""
    wanted, separator = name.encode(), "; " if name == "cookie" else ","
    return separator.join(value.decode("latin-1") for key, value in scope["headers"] if key == wanted)
