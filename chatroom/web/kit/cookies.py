"""The signed session cookie. It contains the session's secret, the CSRF token, and messages for the next page.

Over TLS, the name of the cookie starts with `__Host-`. So another site under the same domain cannot set the cookie.
"""

from typing import cast

from flask import Flask, has_request_context, request
from flask.sessions import SecureCookieSessionInterface
from itsdangerous import BadData
from werkzeug.sansio.http import parse_cookie

NAME = "session"
SECURE_NAME = "__Host-session"
SECRET = "_user_id"  # noqa: S105  Flask-Login's own key


class CookieSessions(SecureCookieSessionInterface):
    """Flask's cookie sessions, with another cookie name over TLS."""

    def get_cookie_name(self, app: Flask) -> str:
        """The name of the cookie. Over TLS, a cookie from plain HTTP is ignored, because its name is different."""
        return SECURE_NAME if self.get_cookie_secure(app) else NAME

    def get_cookie_secure(self, app: Flask) -> bool:  # noqa: ARG002  Flask's signature
        """Whether this request came over TLS."""
        return has_request_context() and request.is_secure


def find_session(cookie_header: str, *, is_secure: bool) -> str:
    """The unchecked value of the session cookie in a Cookie header; empty if there is no such cookie."""
    # This is the parser of Flask's requests. `werkzeug.http.parse_cookie` would raise on bytes that are not UTF-8.
    return parse_cookie(cookie_header).get(SECURE_NAME if is_secure else NAME, "")


def find_secret(app: Flask, cookie_header: str, *, is_secure: bool) -> str | None:
    """Return the session's secret from a Cookie header, or None without a valid cookie.

    Needs no Flask request context, because the handshake of a websocket has none.
    """
    serializer = cast("CookieSessions", app.session_interface).get_signing_serializer(app)
    value = find_session(cookie_header, is_secure=is_secure)
    if serializer is None or not value:
        return None
    try:
        content = serializer.loads(value, max_age=int(app.permanent_session_lifetime.total_seconds()))
    except BadData:
        return None
    secret = content.get(SECRET) if isinstance(content, dict) else None
    return secret if isinstance(secret, str) else None
