"""Template filters that show a file: kind, name, size and address. static/views/files/files.js has the same rules."""

import re

from flask import Flask, url_for
from jinja2.filters import do_filesizeformat

from chatroom.base.models import File
from chatroom.files.filetypes import PICTURES, PLAYED

FRAME = (360, 270)
"""The largest size of a picture in a message, in CSS pixels."""
LARGEST_MOVING = 3_000_000
"""The size of the largest animation that moves in a message, in bytes. A larger one is shown as its first frame."""
LONGEST_ENDING = 4

_parts = re.compile(r"(.+?)((?:\.tar)?\.[^.\s]{1,10})", re.DOTALL)


def register(app: Flask) -> None:
    """Give the templates their filters."""
    for function in (ending, facts, kind, split_name, shown_size, shown_url, still_url, view_url):
        app.jinja_env.filters[function.__name__] = function


def kind(file: File) -> str:
    """How the file is shown: `picture`, `audio`, `video`, `document` (a card with a picture) or `card`."""
    if file.width and (file.type in PICTURES or file.has_view):
        return "picture"
    if file.pages:
        return "document"
    return file.type.partition("/")[0] if file.type in PLAYED else "card"


def shown_size(file: File) -> tuple[int, int]:
    """The width and height of a picture in a message. Pictures are never enlarged."""
    width, height = file.width or 1, file.height or 1
    scale = min(1.0, FRAME[0] / width, FRAME[1] / height)
    return max(1, round(width * scale)), max(1, round(height * scale))


def shown_url(file: File) -> str:
    """The address of the picture in a message: a small copy, or the file itself for a small animation."""
    is_animated = file.is_animated or file.type == "image/gif"  # GIFs of older versions do not say it
    if is_animated and file.size <= LARGEST_MOVING:
        return url_for("files.fetch", file_id=file.id, name=file.name)
    return still_url(file)


def still_url(file: File) -> str:
    """The address of a small copy of the picture. The copy of an animation shows the first frame."""
    return url_for("files.thumbnail", file_id=file.id)


def view_url(file: File) -> str:
    """The address of the picture on a whole screen."""
    if file.has_view:
        return url_for("files.view", file_id=file.id)
    return url_for("files.fetch", file_id=file.id, name=file.name)


def facts(file: File) -> str:
    """What a card says of a file: its size, and the pages of a PDF."""
    size = do_filesizeformat(file.size)
    return f"{file.pages} page{'s' if file.pages > 1 else ''} · {size}" if file.pages else size


def ending(file: File) -> str:
    """The ending of the file's name, or `FILE`. A card shows it instead of an icon."""
    _, dot, last = file.name.rpartition(".")
    return last.upper() if dot and len(last) <= LONGEST_ENDING else "FILE"


def split_name(name: str) -> tuple[str, str]:
    """Split a name before its ending (`.pdf`, `.tar.gz`), so that the ending stays visible when the name is cut."""
    parts = _parts.fullmatch(name)
    return (parts[1], parts[2]) if parts else (name, "")
