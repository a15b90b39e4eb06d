"""Template filters that show a file: kind, size and address. static/views/files/files.js has the same rules."""

from flask import Flask, url_for

from chatroom.base.models import File
from chatroom.files.filetypes import PICTURES

FRAME = (360, 270)
"""The largest size of a picture in a message, in CSS pixels."""
LARGEST_MOVING = 3_000_000
"""The size of the largest GIF that moves in a message, in bytes. A larger GIF is shown as its first frame."""
LONGEST_ENDING = 4


def register(app: Flask) -> None:
    """Give the templates their filters."""
    for function in (ending, kind, shown_size, shown_url, still_url):
        app.jinja_env.filters[function.__name__] = function


def kind(file: File) -> str:
    """How the file is shown: `picture`, `audio`, `video` or `card`."""
    if file.type in PICTURES and file.width:
        return "picture"
    family = file.type.partition("/")[0]
    return family if family in {"audio", "video"} else "card"


def shown_size(file: File) -> tuple[int, int]:
    """The width and height of a picture in a message. Pictures are never enlarged."""
    width, height = file.width or 1, file.height or 1
    scale = min(1.0, FRAME[0] / width, FRAME[1] / height)
    return max(1, round(width * scale)), max(1, round(height * scale))


def shown_url(file: File) -> str:
    """The address of the picture in a message: a small copy, or the file itself for a GIF of up to `LARGEST_MOVING`."""
    if file.type == "image/gif" and file.size <= LARGEST_MOVING:
        return url_for("files.fetch", file_id=file.id, name=file.name)
    return still_url(file)


def still_url(file: File) -> str:
    """The address of a small copy of the picture. The copy of a GIF shows the first frame."""
    return url_for("files.thumbnail", file_id=file.id)


def ending(file: File) -> str:
    """The ending of the file's name, or `FILE`. A card shows it instead of an icon."""
    _, dot, last = file.name.rpartition(".")
    return last.upper() if dot and len(last) <= LONGEST_ENDING else "FILE"
