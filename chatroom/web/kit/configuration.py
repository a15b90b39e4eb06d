"""Flask's own configuration, made from the settings."""

from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any, cast

from flask import Flask, Response, request
from flask_compress import Compress
from werkzeug.security import safe_join

from chatroom.base.config import Settings
from chatroom.web.kit.cookies import CookieSessions

MAX_FIELDS = 120  # the roles of a page of members, each with the role before
SHEETS = (
    "tokens",
    "base",
    "layout",
    "components",
    "chat",
    "actions",
    "marks",
    "rooms",
    "search",
    "files",
    "people",
    "sidebar",
    "arranging",
    "invite",
    "composer",
    "mentions",
    "bars",
    "directions",  # changes what others say about the sides of a message
)
SITE_SHEET = "css/site.css"
"""The name of the style sheet that contains all `SHEETS`."""
PARTIAL = 206


def configure(app: Flask, settings: Settings) -> None:
    """Configure sessions, forms, sizes and hosts."""
    app.session_interface = CookieSessions()
    app.config.from_mapping(
        SECRET_KEY=settings.secret_key or None,
        SECRET_KEY_FALLBACKS=words_of(settings.secret_key_fallbacks) or None,
        TRUSTED_HOSTS=words_of(settings.allowed_hosts) or None,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_REFRESH_EACH_REQUEST=False,
        PERMANENT_SESSION_LIFETIME=timedelta(minutes=settings.session_lifetime_minutes),
        MAX_CONTENT_LENGTH=settings.max_request_bytes or None,
        MAX_FORM_MEMORY_SIZE=settings.max_request_bytes or None,
        MAX_FORM_PARTS=MAX_FIELDS,
        WTF_CSRF_TIME_LIMIT=None,  # valid as long as the session, because a form may stay open for days
        WTF_CSRF_SSL_STRICT=False,  # privacy tools remove the Referer; `security` checks Sec-Fetch-Site instead
    )


class _Compressed(dict[str, bytes]):
    """The compressed files: Brotli is slow at its best level."""

    def set(self, key: str, content: bytes) -> None:
        self[key] = content


def _version_of(file: str) -> str:
    """Return the same key for each spelling of an address, such as `css/../css/chat.css`."""
    return f"{file} {Path(file).stat().st_mtime_ns}"


@cache
def _join_sheets(static_folder: str) -> bytes:
    """The style sheets of all pages in one: a browser shows nothing before it has them all."""
    return b"".join(Path(static_folder, "css", f"{name}.css").read_bytes() for name in SHEETS)


def compress_static(app: Flask) -> None:
    """Compress scripts and styles. Do not compress pages: their compressed size would reveal secrets (BREACH)."""
    app.config.from_mapping(
        COMPRESS_REGISTER=False,
        COMPRESS_ALGORITHM=["br", "gzip"],
        COMPRESS_BR_LEVEL=11,
        COMPRESS_CACHE_BACKEND=_Compressed,
        COMPRESS_CACHE_KEY=lambda request: (
            SITE_SHEET
            if request.view_args["filename"] == SITE_SHEET
            else _version_of(str(safe_join(str(app.static_folder), request.view_args["filename"])))
        ),
    )
    compress = Compress()
    compress.init_app(app)
    send, sheets = app.view_functions["static"], _join_sheets(str(app.static_folder))

    def send_sheets() -> Response:
        response = Response(sheets, mimetype="text/css", headers={"Cache-Control": "no-cache"})
        response.add_etag()
        response.make_conditional(request)
        return response

    def send_whole(**arguments: Any) -> Response:
        response = send_sheets() if arguments["filename"] == SITE_SHEET else cast("Response", send(**arguments))
        if response.status_code == PARTIAL:  # the library would keep it as the whole file
            return response
        response.headers.pop("Content-Disposition", None)
        response.direct_passthrough = False
        response.make_sequence()  # otherwise the library does not close the file
        return compress.after_request(response)

    app.view_functions["static"] = send_whole


def words_of(text: str) -> list[str]:
    """Split the text of a setting at its commas."""
    return [word for part in text.split(",") if (word := part.strip())]
