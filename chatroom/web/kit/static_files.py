"""Serve the static files: compressed, the style sheets in one, and cached for as long as they do not change.

The pages name the files with the version of all of them, as in `/static/~1f0c3a52b7/pages/chat.js`. The modules that
a script imports from `../` then have the same version, so that a browser asks for each file once, until one changes.
"""

import hashlib
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, cast

from flask import Flask, Response, current_app, request, url_for
from flask_compress import Compress
from werkzeug.security import safe_join

VERSION_MARK = "~"
"""The first character of a version in an address."""
VERSION_DIGITS = 10
FOR_EVER = "public, max-age=31536000, immutable"
ASK_AGAIN = "no-cache"
"""How long a browser keeps a file: with the version of this process in its address, and without."""
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
    "later",
    "directions",  # changes what others say about the sides of a message
)
SITE_SHEET = "css/site.css"
"""The name of the style sheet that contains all `SHEETS`."""
PARTIAL = 206


@cache
def version_of(static_folder: str) -> str:
    """Return the version of all static files: it changes if one of them changes, at the next start."""
    found = hashlib.sha256()
    for path in sorted(path for path in Path(static_folder).rglob("*") if path.is_file()):
        found.update(f"{path.relative_to(static_folder)} {path.stat().st_size}\n".encode())
        found.update(path.read_bytes())
    return VERSION_MARK + found.hexdigest()[:VERSION_DIGITS]


def static_url(filename: str) -> str:
    """The address of a static file, with the version of the files."""
    return _static_url(filename, version_of(str(current_app.static_folder)), root=request.script_root)


def unchanging_prefix(app: Flask) -> str:
    """The first part of the addresses of all files that never change."""
    return f"{app.static_url_path}/{version_of(str(app.static_folder))}/"


@lru_cache(maxsize=512)
def _static_url(filename: str, version: str, *, root: str) -> str:  # noqa: ARG001  only for the key of the cache
    return url_for("static", filename=f"{version}/{filename}")


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


def serve(app: Flask) -> None:
    """Serve and compress static files. Do not compress pages: their compressed size would reveal secrets (BREACH)."""
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
    version = version_of(str(app.static_folder))

    def send_sheets() -> Response:
        response = Response(sheets, mimetype="text/css")
        response.add_etag()
        response.make_conditional(request)
        return response

    def send_whole(filename: str) -> Response:
        named, filename = _split(filename)
        cast("dict[str, Any]", request.view_args)["filename"] = filename  # the library keeps a file by its name
        response = send_sheets() if filename == SITE_SHEET else cast("Response", send(filename=filename))
        # A page of another version, before or after an update, gets the file of this one, and asks again next time.
        response.headers["Cache-Control"] = FOR_EVER if named == version else ASK_AGAIN
        if response.status_code == PARTIAL:  # the library would keep it as the whole file
            return response
        response.headers.pop("Content-Disposition", None)
        response.direct_passthrough = False
        response.make_sequence()  # otherwise the library does not close the file
        return compress.after_request(response)

    app.view_functions["static"] = send_whole


def _split(filename: str) -> tuple[str, str]:
    """Return the version in an address, empty if there is none, and the name of the file."""
    version, slash, rest = filename.partition("/")
    return (version, rest) if slash and version.startswith(VERSION_MARK) else ("", filename)
