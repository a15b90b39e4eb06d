"""The type of a file, by its first bytes and never by its name, and how browsers may receive it.

Types that are not known to be harmless are saved, never shown: no uploaded page opens under our address.
"""

import puremagic

HEAD_BYTES = 8192
"""How much of a file is looked at."""
UNKNOWN = "application/octet-stream"
TEXT = "text/plain"

PICTURES = {"image/jpeg": ".jpg", "image/png": ".png", "image/gif": ".gif", "image/webp": ".webp"}
"""What is shown as a picture, and the ending of its name."""

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
"""By the ending that puremagic gives: its own media types are several for one format, or missing."""

SAVED = {
    ".pdf": "application/pdf",
    ".zip": "application/zip",
    ".docx": "application/zip",  # only its middle would tell a document from any other archive
    ".gz": "application/gzip",
    ".7z": "application/x-7z-compressed",
    ".rar": "application/vnd.rar",
    ".bz2": "application/x-bzip2",
    ".xz": "application/x-xz",
}

INLINE = {*PICTURES, *PLAYED.values(), "audio/ogg", "video/ogg", TEXT}
"""What a browser may show by itself; all else is saved."""

_ACTIVE = ("<!doctype", "<html", "<svg", "<?xml", "<script", "<head", "<body", "<!--")
_MARKS = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"%PDF-", "application/pdf"),  # else it may pass for text
)


def find_type(head: bytes) -> str:
    """The media type of a file that begins so."""
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
    """Whether it reads as UTF-8 without control characters, but for a character that the end of the head has cut."""
    try:
        text = head.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.start < len(head) - 3 or len(head) < HEAD_BYTES:
            return False
        text = head[: error.start].decode("utf-8")
    return bool(text) and all(character >= " " or character in "\t\n\r\f" for character in text)


def _is_active(head: bytes) -> bool:
    """Whether some browser might take a text for a page or a drawing, which run scripts."""
    text = head[:1024].decode("utf-8", "ignore").removeprefix("\ufeff").lstrip().lower()
    return text.startswith(_ACTIVE) or "<svg" in text or "<script" in text
