"""Strip JPEGs without encoding them again, and decode those that are too large to be decoded completely.

Phones make pictures of 50 to 200 million pixels.
"""

import io
import struct
from collections.abc import Iterator

from PIL import Image, ImageOps
from PIL.JpegImagePlugin import JpegImageFile

MAX_PIXELS = 250_000_000
DECODED_PIXELS = 16_000_000
START, END = b"\xff\xd8", b"\xff\xd9"
SCAN = 0xDA
BASELINE = {0xC0, 0xC1}
"""The kinds of JPEGs that are decoded row by row, so that a decoder needs little memory."""
FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
TABLES = {0xC4, 0xDB, 0xDD}
KEPT = {0xE0: b"JFIF\0", 0xE2: b"ICC_PROFILE\0", 0xEE: b"Adobe"}
"""The application data that the colours depend on."""
ORIENTATION = 0x0112


def strip(content: bytes, orientation: int) -> bytes:
    """Return a JPEG of one scan without metadata, except its orientation; raise `ValueError` for other JPEGs."""
    pieces = [START, _make_exif(orientation)]
    for marker, start, end in _segments(content):
        if marker in FRAMES and marker not in BASELINE:
            raise ValueError("the JPEG is not decoded row by row")
        if marker in FRAMES | TABLES or content[start + 4 : end].startswith(KEPT.get(marker, b"\0none")):
            pieces.append(content[start:end])
        if marker == SCAN:
            stop = content.index(END, end)  # these two bytes cannot occur in a scan
            if content.find(b"\xff\xda", end, stop) >= 0:
                break
            return b"".join((*pieces, content[start:stop], END))
    raise ValueError("the JPEG has not exactly one scan")


def decode(content: bytes) -> Image.Image:
    """Return the picture upright, at a half, a quarter or an eighth of its size."""
    with JpegImageFile(io.BytesIO(content)) as image:
        scale = next(n for n in (2, 4, 8) if image.width * image.height <= n * n * DECODED_PIXELS)
        image.draft(None, (image.width // scale, image.height // scale))
        return ImageOps.exif_transpose(image)


def _segments(content: bytes) -> Iterator[tuple[int, int, int]]:
    """Yield the marker, the start and the end of each segment up to the scan."""
    position = len(START)
    while position + 4 <= len(content):
        first, marker, size = struct.unpack_from(">BBH", content, position)
        if first != 0xFF or size < 2:
            return
        yield marker, position, position + 2 + size
        position += 2 + size


def _make_exif(orientation: int) -> bytes:
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    body = exif.tobytes()
    return b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body
