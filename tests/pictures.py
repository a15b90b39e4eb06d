"""Generated pictures for tests."""

import io
import struct
import zlib
from random import Random
from typing import Any

from PIL import Image

SECRET = b"SECRETPLACE"
"""Metadata that cameras and editors write into pictures."""


def make_picture(format: str = "JPEG", size: tuple[int, int] = (120, 80), *, turned: int = 1, **options: Any) -> bytes:
    """A picture with a red left half and a blue right half, and a secret in its EXIF."""
    image = Image.new("RGB", size, "red")
    image.paste("blue", (size[0] // 2, 0, size[0], size[1]))
    exif = Image.Exif()
    exif[0x0112] = turned
    exif[0x010E] = SECRET.decode()
    out = io.BytesIO()
    image.save(out, format, exif=exif, **options)
    return out.getvalue()


def make_photo(format: str = "JPEG", size: tuple[int, int] = (403, 301), *, turned: int = 1, **options: Any) -> bytes:
    """A picture with smooth areas, edges and noise, as a camera makes it."""
    random = Random(7)
    colours = [Image.frombytes("L", (20, 15), random.randbytes(300)).resize(size, Image.Resampling.BICUBIC)] * 3
    noise = Image.frombytes("RGB", size, random.randbytes(size[0] * size[1] * 3))
    image = Image.blend(Image.merge("RGB", colours), noise, 0.06)
    image.paste("navy", (size[0] // 2, 20, size[0], 90))
    exif = Image.Exif()
    exif[0x0112] = turned
    out = io.BytesIO()
    image.save(out, format, exif=exif, **options)
    return out.getvalue()


def make_turned(size: tuple[int, int] = (300, 200)) -> bytes:
    """A rotated PNG of equal rows, which is larger after it is turned upright."""
    width, height = size
    image = Image.frombytes("RGB", size, Random(1).randbytes(width * 3) * height)
    exif = Image.Exif()
    exif[0x0112] = 6
    out = io.BytesIO()
    image.save(out, "PNG", exif=exif, compress_level=9)
    return out.getvalue()


def make_moving(format: str = "GIF", frames: int = 3) -> bytes:
    images = [Image.new("RGB", (40, 30), (60 * n % 256, n % 256, 200)) for n in range(frames)]
    out = io.BytesIO()
    images[0].save(out, format, save_all=True, append_images=images[1:], duration=100)
    return out.getvalue()


def make_bomb(width: int = 30_000, height: int = 30_000) -> bytes:
    """A PNG of some hundred kilobytes with a gigapixel."""
    left = (1 + (width + 7) // 8) * height
    packer, rows, block = zlib.compressobj(1), b"", bytes(1_000_000)
    while left > 0:
        rows += packer.compress(block[:left])
        left -= len(block)
    rows += packer.flush()
    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(*each) for each in ((b"IHDR", head), (b"IDAT", rows), (b"IEND", b"")))


def _chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
