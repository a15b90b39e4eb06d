"""Files over HTTP: users upload a file, by script or form, and download all or a part of it.

Only members of the room, and moderators who approve messages, get a file. No browser runs a file as a page of this
site.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, BinaryIO, cast
from urllib.parse import quote

import msgspec
from flask import Blueprint, Flask, Response, request
from werkzeug.datastructures import FileStorage

from chatroom.asgi.downloads import HANDOVER
from chatroom.asgi.uploads import SPOOLED
from chatroom.base.config import MOST_FILES, Settings
from chatroom.base.errors import Refused
from chatroom.base.models import File, Room
from chatroom.files.files_store import Copy, KeptFile, no_such_file
from chatroom.files.filetypes import INLINE, TEXT, UNKNOWN
from chatroom.files.uploads import in_megabytes
from chatroom.names import storable_name
from chatroom.people.tokens import grant_of
from chatroom.web.files import shown
from chatroom.web.kit.api import WRONG_HEADER, answer, asker, enter, query_as
from chatroom.web.kit.configuration import MAX_FIELDS
from chatroom.web.kit.errors import explain
from chatroom.web.kit.lanes import brings_files, scarce
from chatroom.web.kit.login import LoggedIn, client_address, current_user, find_by_token, redirect_to_login
from chatroom.web.kit.openapi import operation
from chatroom.web.kit.pages import Page
from chatroom.web.kit.services import services
from chatroom.web.kit.sockets import bearer_of, header
from chatroom.web.messages.messages_api import blueprint as api

CSP = "sandbox; default-src 'none'; img-src 'self'; media-src 'self'; style-src 'unsafe-inline'; frame-ancestors 'none'"
"""The policy for a file in its own tab. The browser's file viewer needs the styles."""
PRIVATE = "private, max-age=3600"
FORM_BYTES = 1_000_000
"""The maximum size of the other fields of a form with files, in bytes."""
PARSED_BYTES = 131_072
FORM = "application/x-www-form-urlencoded"
UPLOADING = {"api.upload_file": "one", "pages.room": "several", "pages.chatroom": "several", "avatars.change": "one"}

_uploads = re.compile(r"/api/rooms/[^/]+/files|/chatroom(?:/[^/]+)?|/account/avatar")

blueprint = Blueprint("files", __name__)


def register(app: Flask) -> None:
    """Register the routes and the template filters, and allow larger requests for uploads."""
    app.register_blueprint(blueprint)
    shown.register(app)
    app.before_request(_allow_uploads)


def is_upload(scope: Any) -> bool:
    """Whether a request may contain files, according to its method, path and headers."""
    if scope.get("method") != "POST" or not _uploads.fullmatch(scope["path"]):
        return False
    return scope["path"].startswith("/api/") or brings_files(header(scope, "content-type"))


def most_upload_bytes(settings: Settings, kind: str = "several") -> int:
    """The maximum size of a request with files, in bytes; 0 means no limit."""
    count = settings.most_files if kind == "several" else 1
    return settings.max_file_bytes * count + FORM_BYTES if settings.max_file_bytes else 0


class Naming(msgspec.Struct):
    """The name of the file; its type is found from its content."""

    name: str = ""


@api.post("/rooms/<slug>/files")
@scarce("pictures")
@operation("post", {201: File}, query=Naming, body=UNKNOWN, refusals=(507,))
def upload_file(slug: str) -> Response:
    """Store a file for a later message.

    The body is the file, or a form that contains only this file. Within a day, post a message whose `files` contain the
    `id` of the answer.
    """
    person = asker()
    access = enter(slug)
    services.messages.rules.check("post", access, "person")
    name, stream = _one_file()
    services.site.limits.uploading.check(person.id, client_address())
    return answer(services.files.uploads.take(person.id, access.room, name, stream), 201)


@blueprint.get("/files/<file_id>/<name>")
def fetch(file_id: str, name: str) -> Page:  # noqa: ARG001  the name is for people, and for files that they save
    """A file, or a part of it."""
    return _answer(file_id, _whole_or_part)


@blueprint.get("/files/<file_id>/thumbnail")
def thumbnail(file_id: str) -> Page:
    """The small copy of a picture, or of the first page of a PDF."""
    return _answer(file_id, partial(_copy, "thumbnail"))


@blueprint.get("/files/<file_id>/view")
def view(file_id: str) -> Page:
    """The picture that browsers show instead of a file that is too large for them, or that some cannot show."""
    return _answer(file_id, partial(_copy, "view"))


def sent_files() -> list[FileStorage]:
    """The files of a form. An empty field sends a file without a name, which is ignored."""
    return [part for part in request.files.getlist("files") if part.filename]


def keep_sent(user_id: str, room: Room, parts: list[FileStorage]) -> list[File]:
    """Store the files of a form."""
    most = services.settings.most_files
    if len(parts) > most:
        raise Refused("too_many_files", f"A message has at most {most} files.")
    kept = []
    for part in parts:
        services.site.limits.uploading.check(user_id, client_address())
        kept.append(services.files.uploads.take(user_id, room, part.filename or "", cast("BinaryIO", part.stream)))
    return kept


def _allow_uploads() -> None:
    kind = UPLOADING.get(request.endpoint or "")
    if request.method != "POST" or kind is None:
        return
    request.max_form_parts = MAX_FIELDS + MOST_FILES
    most = most_upload_bytes(services.settings, kind)
    if 0 < most < (request.content_length or 0):
        one = in_megabytes(services.settings.max_file_bytes)
        raise Refused("too_large", f"The file is too large: at most {one} are allowed.")
    scope = request.environ.get("asgi.scope")
    if (scope is None or SPOOLED in scope) and request.mimetype != FORM:
        request.max_content_length = most or None
        # This limit is for fields, but Werkzeug also counts each piece of a file that the form parser reads.
        request.max_form_memory_size = max(services.settings.max_request_bytes, PARSED_BYTES)


def _one_file() -> tuple[str, BinaryIO]:
    if request.mimetype == FORM:  # parsed as fields, so nothing is left to store
        raise Refused("invalid", f"Send the file with the header Content-Type: {UNKNOWN}, or as a form with files.")
    if request.mimetype != "multipart/form-data":
        return query_as(Naming).name, cast("BinaryIO", request.stream)
    parts = [part for part in request.files.values() if part.filename]
    if len(parts) != 1:
        raise Refused("invalid", "Send one file, as the body or as the only file of a form.")
    return parts[0].filename or "", cast("BinaryIO", parts[0].stream)


def _answer(file_id: str, make: Callable[[KeptFile, str], Response]) -> Page:
    token = bearer_of(request.headers.get("Authorization"))
    person = find_by_token(token) if token is not None else current_user
    if person is None:
        return explain(401, WRONG_HEADER)
    if not person.is_authenticated:
        return redirect_to_login()
    return make(_find_for(person, file_id), person.id)


def _find_for(person: LoggedIn, file_id: str) -> KeptFile:
    """Find a file for a user. Until the file is posted, only its owner and approving moderators may get it."""
    kept = services.files.store.get(file_id)
    grant = grant_of(person.session)
    room = services.rooms.store.find(kept.room_id)
    # `get_for` would make the user a member of the lobby. To open a file must not do this.
    if room is not None and services.rooms.access.find_for(person.id, room.slug) is not None:
        grant.check("read", room.slug)
        if kept.owner_id == person.id or services.files.usage.has_message(kept):
            return kept
    if room is not None and services.moderation.approval.may_see(person.user, kept):
        grant.check("moderate", room.slug)
        return kept
    raise no_such_file()


def _copy(name: Copy, kept: KeptFile, user_id: str) -> Response:
    file = kept.file
    if not (file.has_view if name == "view" else file.width or file.pages):
        if file.name == name:  # this is the address of the file itself
            return _whole_or_part(kept, user_id)
        raise no_such_file()
    shown = msgspec.structs.replace(file, name=f"{file.name}.webp", type="image/webp")
    response = _guarded(Response(content_type=shown.type), shown, etag=f"{file.id}-{name}")
    response.make_conditional(request)
    if response.status_code == 200:
        response.set_data(services.files.store.find_copy(file.id, name))
    return response


def _whole_or_part(kept: KeptFile, user_id: str) -> Response:
    file = kept.file
    type = "text/plain; charset=utf-8" if file.type == TEXT else file.type
    response = _guarded(Response(content_type=type), file, etag=file.id)
    response.content_length = file.size
    response.make_conditional(request, accept_ranges=True, complete_length=file.size)
    start, stop = 0, file.size
    if response.status_code == 206:
        start, stop = response.content_range.start or 0, response.content_range.stop or file.size
    elif response.status_code != 200:
        return response
    response.content_length = stop - start
    give_body(response, services.files.store.read(kept.file.id, start, stop), user_id)
    return response


def give_body(response: Response, pieces: Iterator[bytes], user_id: str) -> None:
    """Let the event loop send the body, so that a slow reader blocks no thread."""
    response.automatically_set_content_length = False
    handover = request.environ.get("asgi.scope", {}).get(HANDOVER)
    if handover is None:
        response.response = pieces
    else:
        response.response = []
        if request.method != "HEAD":
            handover.append((user_id, pieces))


def _guarded(response: Response, file: File, *, etag: str) -> Response:
    """Add headers: a browser may show or save the file, but must not run a script in it."""
    is_inline = file.type in INLINE and file.type != UNKNOWN
    response.headers["Content-Disposition"] = disposition("inline" if is_inline else "attachment", file.name)
    response.headers["Content-Security-Policy"] = CSP
    response.headers["Cache-Control"] = PRIVATE
    response.set_etag(etag)
    return response


def disposition(kind: str, name: str) -> str:
    """The header Content-Disposition (RFC 6266). It has the exact name, and a name in ASCII for old programs."""
    name = storable_name(name)
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode("ascii").strip()
    plain = re.sub(r"[\\/%;]", "_", storable_name(plain))  # a wide quotation mark has become a plain one
    if plain != name and plain[:1] in {"", "."}:
        plain = f"file{plain}"
    value = f'{kind}; filename="{plain}"'
    return value if plain == name else f"{value}; filename*=UTF-8''{quote(name, safe='')}"
