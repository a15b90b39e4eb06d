"""Find the type of a file by its first bytes, and never by its name.

Browsers show only the types that are known to be harmless. All other files are saved.
"""

import puremagic

HEAD_BYTES = 8192
"""The number of bytes that decide the type."""
UNKNOWN = "application/octet-stream"
TEXT = "text/plain"

PICTURES = {"image/jpeg": ".jpg", "image/png": ".png", "image/gif": ".gif", "image/webp": ".webp"}
"""The types that are shown as pictures, with their file extensions."""

PLAYED = {
    ".mp3": "audio/mpeg",
    ".mpga": "audio/mpeg",
    ".m4a": "audio/mp4",
    ".flac": "audio/flac",
    ".wav": "audio/wav",
    ".mp4": "video/mp4",
    ".m4v": "video/mp4",
    ".mov": "video/quicktime",
    ".webm": "video/webm",
}
"""The media types, by the extension that puremagic finds."""

SAVED = {
    ".pdf": "application/pdf",
    ".zip": "application/zip",
    ".docx": "application/zip",  # the first bytes are those of any ZIP archive
    ".gz": "application/gzip",
    ".7z": "application/x-7z-compressed",
    ".rar": "application/vnd.rar",
    ".bz2": "application/x-bzip2",
    ".xz": "application/x-xz",
}

INLINE = {*PICTURES, *PLAYED.values(), "audio/ogg", "video/ogg", TEXT}
"""The types that a browser may show; all others are saved."""

_ACTIVE = ("<!doctype", "<html", "<svg", "<?xml", "<script", "<head", "<body", "<!--")
_MARKS = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"%PDF-", "application/pdf"),  # a PDF could otherwise pass as text
)


def find_type(head: bytes) -> str:
    """Return the media type of a file with these first bytes."""
    for mark, type in _MARKS:
        if head.startswith(mark):
            return type
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    if head.startswith(b"OggS"):
        return "video/ogg" if b"theora" in head else "audio/ogg"
    if _is_text(head):
        return UNKNOWN if _is_active(head) else TEXT
    return _by_magic(head)


def _by_magic(head: bytes) -> str:
    try:
        found = puremagic.magic_string(head)
    except (puremagic.PureError, ValueError):
        return UNKNOWN
    for match in found:
        type = PLAYED.get(match.extension) or SAVED.get(match.extension)
        if type:
            return type
    return UNKNOWN


def _is_text(head: bytes) -> bool:
    """Return whether the bytes are UTF-8 without control characters; the last character may be cut off."""
    try:
        text = head.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.start < len(head) - 3 or len(head) < HEAD_BYTES:
            return False
        text = head[: error.start].decode("utf-8")
    return bool(text) and all(character >= " " or character in "\t\n\r\f" for character in text)


def _is_active(head: bytes) -> bool:
    """Return whether a browser might interpret a text as HTML or SVG, which can run scripts."""
    text = head[:1024].decode("utf-8", "ignore").removeprefix("\ufeff").lstrip().lower()
    return text.startswith(_ACTIVE) or "<svg" in text or "<script" in text
