"""Find the type of a file by its content.

The ending of the name only decides between types of the same content, for example between `.docx` and `.zip`. Browsers
show only the types that are known to be harmless. All other files are saved.
"""

from typing import BinaryIO

import puremagic

from chatroom.files import endings
from chatroom.files.containers import find_matroska_type, find_mp4_type, find_ogg_type, find_zip_type

HEAD_BYTES = 8192
"""The number of bytes that decide most types."""
UNKNOWN = "application/octet-stream"
TEXT = "text/plain"
PDF = "application/pdf"

PDF_MARK = b"%PDF-"
PDF_START = 1024
"""Readers accept a PDF that starts after other bytes, for example after a byte order mark."""

PICTURES = {"image/jpeg": ".jpg", "image/png": ".png", "image/gif": ".gif", "image/webp": ".webp"}
"""The types that are shown as pictures, with their file extensions."""

PICTURE_ENDINGS = {**PICTURES, "image/heic": ".heic", "image/heif": ".heif", "image/avif": ".avif"}
"""The endings that the names of pictures must have: other programs trust the name."""

PLAYED = {
    *("audio/mpeg", "audio/mp4", "audio/aac", "audio/flac", "audio/wav"),
    *("audio/ogg", "audio/webm", "audio/x-matroska", "audio/3gpp", "audio/3gpp2"),
    *("video/mp4", "video/quicktime", "video/webm", "video/ogg", "video/x-matroska", "video/3gpp", "video/3gpp2"),
}
"""The types that are shown with a player. Must match static/views/files/files.js."""

INLINE = {*PICTURES, *PLAYED, TEXT}
"""The types that a browser may show; all others are saved."""

_ACTIVE = ("<!doctype", "<html", "<svg", "<?xml", "<script", "<head", "<body", "<!--")
_MARKS = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (PDF_MARK, PDF),  # a PDF could otherwise pass as text
    (b"{\\rtf", "application/rtf"),
)
_OLE_MARK = bytes.fromhex("d0cf11e0a1b11ae1")
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
_IN_TEXT = frozenset("\t\n\v\f\r\a\b\x1b")
"""The control characters of texts and of coloured logs."""


def find_type(file: BinaryIO, name: str = "") -> str:
    """Return the media type of a file."""
    file.seek(0)
    head = file.read(HEAD_BYTES)
    ending = ending_of(name)
    for mark, type in _MARKS:
        if head.startswith(mark):
            return type
    if ending == ".pdf" and PDF_MARK in head[:PDF_START]:
        return PDF
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    if head.startswith(_OLE_MARK):
        return endings.OLE.get(ending, "application/x-ole-storage")
    return (
        find_mp4_type(file, head, ending)
        or find_matroska_type(file, head, ending)
        or find_ogg_type(head)
        or find_zip_type(file, head, ending)
        or _find_text_type(head, ending)
        or _find_mpeg_type(head)
        or _find_magic_type(head, ending)
    )


def ending_of(name: str) -> str:
    """Return the ending of a name with its dot, in small letters, or ""."""
    _, dot, ending = name.rpartition(".")
    return f".{ending.lower()}" if dot else ""


def _find_mpeg_type(head: bytes) -> str | None:
    """Return the type of an MP3 without ID3, of which puremagic knows only some."""
    if len(head) < 3 or head[0] != 0xFF or head[1] & 0xE6 != 0xE2:  # layer III
        return None
    is_valid = head[1] & 0x18 != 0x08 and head[2] >> 4 not in {0, 15} and head[2] & 0x0C != 0x0C
    return "audio/mpeg" if is_valid else None


def _find_magic_type(head: bytes, ending: str) -> str:
    try:
        found = [match.extension for match in puremagic.magic_string(head)]
    except (puremagic.PureError, ValueError):
        return UNKNOWN
    if ending in found and ending in endings.MAGIC:
        return endings.MAGIC[ending]
    return next((endings.MAGIC[each] for each in found if each in endings.MAGIC), UNKNOWN)


def _find_text_type(head: bytes, ending: str) -> str | None:
    text = _decode(head)
    if text is None:
        is_text = ending in endings.TEXTS and _is_clean(head.decode("latin-1"))  # an old spreadsheet program
        return endings.TEXTS[ending] if is_text and not _is_active(head.decode("latin-1")) else None
    if _is_active(text):
        return UNKNOWN
    return endings.TEXTS.get(ending, TEXT)


def _decode(head: bytes) -> str | None:
    """Return the text in UTF-8, or in UTF-16 with its mark; None for other bytes. The last character may be cut off."""
    if head.startswith(_UTF_16):
        text = head.decode("utf-16", "ignore")
    else:
        try:
            text = head.decode("utf-8")
        except UnicodeDecodeError as error:
            if error.start < len(head) - 3 or len(head) < HEAD_BYTES:
                return None
            text = head[: error.start].decode("utf-8")
    return text if text and _is_clean(text) else None


def _is_clean(text: str) -> bool:
    return bool(text) and all(character >= " " or character in _IN_TEXT for character in text)


def _is_active(text: str) -> bool:
    """Return whether a browser might interpret a text as HTML or SVG, which can run scripts."""
    start = text[:1024].removeprefix("\ufeff").lstrip().lower()
    return start.startswith(_ACTIVE) or "<svg" in start or "<script" in start
