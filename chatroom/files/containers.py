"""Look inside files whose first bytes are not enough for their type: MP4, Matroska, Ogg, ZIP.

Reads a bounded part of the file, and decodes nothing.
"""

import re
from typing import BinaryIO

from chatroom.base.errors import Refused
from chatroom.files import endings, films

PART_BYTES = 65_536
"""The number of bytes at the start and at the end of a file that are searched."""
ZIP_MARKS = (b"PK\3\4", b"PK\5\6", b"PK\7\x08")
HEIC = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"}
AVIF = {b"avif", b"avis"}
PICTURE_BRANDS = {*HEIC, *AVIF, b"mif1", b"mif2", b"msf1"}
CANON_RAW = b"crx "
SOUND_BRANDS = {b"M4A ", b"M4B ", b"M4P ", b"F4A ", b"F4B "}
FILM_BRANDS = {
    b"isom", b"iso2", b"iso3", b"iso4", b"iso5", b"iso6", b"iso8", b"mp41", b"mp42", b"avc1", b"hvc1", b"dash", b"M4V ",
    b"M4VP", b"M4VH", b"F4V ", b"MSNV", b"XAVC", b"mmp4",
}  # fmt: skip
OLD_FILM_ATOMS = {b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"}
"""The first atoms of films that were made before `ftyp` existed."""
SOUND_ENDINGS = (".m4a", ".m4b", ".mp3", ".aac", ".oga", ".weba", ".mka")

_doctype = re.compile(rb"\x42\x82[\x81-\x8f](webm|matroska)")
_codec = re.compile(rb"\x86[\x80-\xbf]([VA])_")
_mimetype = re.compile(rb"PK\x03\x04.{26}mimetype.{0,64}?(application/[a-z0-9.+-]+)", re.DOTALL)
_office = {b"word/": endings.WORD, b"xl/": endings.EXCEL, b"ppt/": endings.POWERPOINT}


def find_mp4_type(file: BinaryIO, head: bytes, ending: str) -> str | None:
    """Return the type of an MP4, QuickTime, 3GP, HEIC or AVIF file, or None for other files."""
    if head[4:8] in OLD_FILM_ATOMS:
        return "video/quicktime" if _handlers(file) else None
    if head[4:8] != b"ftyp" or len(head) < 12:
        return None
    main, brands = head[8:12], _brands(head)
    if main in PICTURE_BRANDS:
        return "image/avif" if brands & AVIF else "image/heic" if brands & HEIC else "image/heif"
    if main == CANON_RAW:  # a picture with tracks
        return "image/x-canon-cr3"
    return _find_film_type(_handlers(file), main, brands, ending)


def find_matroska_type(file: BinaryIO, head: bytes, ending: str) -> str | None:
    """Return the type of a WebM or Matroska file, with or without a track of pictures, or None for other files."""
    doctype = _doctype.search(head[:64])
    if not head.startswith(b"\x1aE\xdf\xa3") or not doctype:
        return None
    tracks = set(_codec.findall(_part(file, 0)))
    is_sound = tracks == {b"A"} or (not tracks and ending in SOUND_ENDINGS)
    return f"{'audio' if is_sound else 'video'}/{'webm' if doctype[1] == b'webm' else 'x-matroska'}"


def find_ogg_type(head: bytes) -> str | None:
    """Return the type of an Ogg file, or None for other files."""
    if not head.startswith(b"OggS"):
        return None
    return "video/ogg" if b"\x80theora" in head else "audio/ogg"


def find_zip_type(file: BinaryIO, head: bytes, ending: str) -> str | None:
    """Return the type of a ZIP archive, from the names of its parts or from its own ending, or None for other files."""
    if not head.startswith(ZIP_MARKS):
        return None
    stated = _mimetype.match(head)
    if stated and (type := stated[1].decode()) in endings.ZIP.values():
        return type
    names = head + _part(file, max(0, file.seek(0, 2) - PART_BYTES))
    types = next((types for mark, types in _office.items() if mark in names), None)
    if b"[Content_Types].xml" in names and types and ending != ".zip":
        has_macros = b"vbaProject.bin" in names
        return types.get(ending) or list(types.values())[has_macros]
    return endings.ZIP.get(ending, endings.ZIP[".zip"])


def _find_film_type(handlers: set[bytes], main: bytes, brands: set[bytes], ending: str) -> str | None:
    has_only_sound = b"vide" not in handlers if handlers else ending in SOUND_ENDINGS
    family = "audio" if has_only_sound or main in SOUND_BRANDS else "video"
    if main[:2] == b"3g":
        return f"{family}/3gpp{'2' if main[:3] == b'3g2' else ''}"
    if not handlers and not brands & {b"qt  ", *SOUND_BRANDS, *FILM_BRANDS}:
        return None
    return "video/quicktime" if main == b"qt  " and family == "video" else f"{family}/mp4"


def _brands(head: bytes) -> set[bytes]:
    size = min(int.from_bytes(head[:4], "big"), 256)
    return {head[8:12], *(head[at : at + 4] for at in range(16, size, 4))}


def _handlers(file: BinaryIO) -> set[bytes]:
    try:
        return films.find_handlers(file)
    except Refused:  # too many parts: the name and the brands decide
        return set()


def _part(file: BinaryIO, start: int) -> bytes:
    file.seek(start)
    return file.read(PART_BYTES)
