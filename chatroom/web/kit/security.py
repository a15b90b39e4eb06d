"""Check every request (proxies, hosts, forms of other sites), and add security headers to every response."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, TypeVar, cast

from flask import Flask, Response, request
from flask_wtf import CSRFProtect
from werkzeug.exceptions import Forbidden, RequestEntityTooLarge

from chatroom.base import addresses
from chatroom.base.config import Settings
from chatroom.web.kit.configuration import MAX_FIELDS, words_of

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

CSP = (
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors {frame_ancestors}"
)
FRAMED = "pages.messages_frame"
"""The only page that may be framed, and only by pages of this site."""

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
OF_DOCUMENTS = {"Cross-Origin-Opener-Policy", "Permissions-Policy"}
"""The headers that a browser applies only to pages: a script or style sheet goes without them, and arrives earlier."""
PARTS = {"text/css", "text/javascript", "application/json"}
"""The types of static files that are only parts of pages."""
CSP_OF_PARTS = "default-src 'none'"
HSTS = "max-age=31536000"
PROBES = {"/livez", "/readyz", "/metrics"}
UNSAFE_METHODS = {"POST", "PUT", "PATCH", "DELETE"}

View = TypeVar("View", bound=Callable[..., Any])

csrf = CSRFProtect()


def exempt_from_csrf(view: View) -> View:
    """Do not check the CSRF token before the view: its form checks the token, or the view needs no token."""
    return cast("View", csrf.exempt(view))


def protect(app: Flask, settings: Settings) -> None:
    """Install the checks and the headers."""
    app.wsgi_app = _locate(app.wsgi_app, settings)  # type: ignore[method-assign, assignment]
    app.before_request(_refuse_other_sites)
    app.before_request(_refuse_many_fields)
    app.after_request(_add_headers)
    csrf.init_app(app)


def safe_next(target: str | None) -> str:
    """Return the address if it is a path of this site, otherwise an empty string."""
    if not target or len(target) > 2000 or not target.startswith("/") or target.startswith("//"):
        return ""
    # Browsers read a backslash as a slash, and drop tabs and line ends: `/\evil`, `/<tab>/evil`.
    if "\\" in target or any(ord(character) <= 0x20 or ord(character) == 0x7F for character in target):
        return ""
    return target


def _locate(inner: "WSGIApplication", settings: Settings) -> "WSGIApplication":
    """Set the client's address and the scheme of each request, and the host of a health check."""
    proxies, hosts = settings.trusted_proxies, words_of(settings.allowed_hosts)

    # The host is not set, because some routers pass on an X-Forwarded-Host that the client may have forged.
    def wsgi_app(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        said_for, said_proto = environ.get("HTTP_X_FORWARDED_FOR", ""), environ.get("HTTP_X_FORWARDED_PROTO", "")
        environ["REMOTE_ADDR"] = addresses.address_of(environ.get("REMOTE_ADDR") or "", said_for, proxies)
        is_secure = addresses.is_secure(environ["wsgi.url_scheme"], said_proto, proxies)
        environ["wsgi.url_scheme"] = "https" if is_secure else "http"
        if hosts and environ.get("PATH_INFO") in PROBES:  # a probe may send any address of this machine as the host
            environ["HTTP_HOST"] = hosts[0].removeprefix(".")
        return inner(environ, start_response)

    return wsgi_app


def _refuse_other_sites() -> None:
    """Refuse a request with an unsafe method if the browser marks the request as cross-site."""
    if request.method in UNSAFE_METHODS and request.headers.get("Sec-Fetch-Site", "").lower() == "cross-site":
        raise Forbidden("The request comes from another site.")


def _refuse_many_fields() -> None:
    """Limit the number of fields in an ordinary form. Werkzeug limits only the parts of a multipart form."""
    if request.mimetype == "application/x-www-form-urlencoded" and request.get_data().count(b"&") >= MAX_FIELDS:
        raise RequestEntityTooLarge("The form has too many fields.")


def _add_headers(response: Response) -> Response:
    is_part = request.endpoint == "static" and response.mimetype in PARTS
    headers = response.headers
    headers.pop("Date", None)  # the server sends one
    for name, value in _part_headers() if is_part else _page_headers():
        headers.setdefault(name, value)
    if request.is_secure:
        headers.setdefault("Strict-Transport-Security", HSTS)
    if request.endpoint != "static" or response.status_code >= 400:
        # No cache may keep a page, so the Back button shows no page after a log-out. Files set their own header.
        headers.setdefault("Cache-Control", "no-store")
        response.vary.add("Cookie")
    return response


def _page_headers() -> Iterable[tuple[str, str]]:
    is_framed = request.endpoint == FRAMED
    yield "Content-Security-Policy", CSP.format(frame_ancestors="'self'" if is_framed else "'none'")
    yield "X-Frame-Options", "SAMEORIGIN" if is_framed else "DENY"
    yield from HEADERS.items()


def _part_headers() -> Iterable[tuple[str, str]]:
    yield "Content-Security-Policy", CSP_OF_PARTS
    yield from ((name, value) for name, value in HEADERS.items() if name not in OF_DOCUMENTS)
