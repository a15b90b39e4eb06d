"""Prepare pictures for storage: turned upright, without the camera's metadata, with a thumbnail.

The size of a picture is checked before decoding: a few bytes can declare billions of pixels.
"""

import io
import struct
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, BinaryIO

import msgspec
from PIL import Image, ImageOps
from PIL.JpegImagePlugin import JpegImageFile, get_sampling

from chatroom.base.errors import Refused
from chatroom.base.threads import Workers
from chatroom.files import gifs, large_jpegs
from chatroom.files.thumbnails import as_webp, make_square, make_thumbnail, make_view

FORMATS = {"image/jpeg": "JPEG", "image/png": "PNG", "image/gif": "GIF", "image/webp": "WEBP"}
MAX_PIXELS = 50_000_000
"""The maximum number of pixels of a frame. Only a JPEG can have more (`chatroom/files/large_jpegs.py`)."""
MAX_FRAMES = 1000
MAX_MOVING_PIXELS = 1_000_000_000
"""The maximum number of pixels of all frames together."""
MAX_SCANS = 100
"""The maximum number of scans of a JPEG. A small file with many empty scans could take hours."""
SQUARES = (256, 80)
ORIENTATION = 0x0112
XMP = ("xmp", "XML:com.adobe.xmp")
START_OF_SCAN = b"\xff\xda"
END_OF_JPEG = b"\xff\xd9"
PNG_MARK = b"\x89PNG\r\n\x1a\n"
PNG_CHUNKS = {
    b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"acTL", b"fcTL", b"fdAT",
    b"cHRM", b"gAMA", b"iCCP", b"sRGB", b"sBIT", b"bKGD",
}  # fmt: skip
"""The chunks that define the picture and its colours. All other chunks are removed."""
WEBP_QUALITIES = (90, 80, 70)
"""The qualities of a WebP that is turned. The first one that makes a picture of about the same size is used."""
MOST_GROWTH = 1.1
ACROSS = {5, 6, 7, 8}
"""The orientations in which width and height are exchanged."""
BUSY = "Too many pictures are being processed. Please try again in a moment."


class Picture(msgspec.Struct, frozen=True, kw_only=True):
    """A picture that is safe to show. The thumbnail is a WebP, and so is the view picture of a very large picture."""

    content: bytes
    width: int
    height: int
    thumbnail: bytes
    view: bytes = b""
    is_animated: bool = False


def make_workers() -> Workers:
    """Create the threads that process pictures."""
    return Workers("pictures", BUSY, retry_after=5.0)


def prepare(file: BinaryIO, type: str) -> Picture:
    """Make a picture safe to show; raise `Refused` (`too_large`, `invalid`) if that is not possible."""
    with _explained(), _open(file, type) as image:
        if _is_large(image):
            return _prepare_large(image, file)
        image.load()
        upright = image if _is_moving(image) else _upright(image)
        return Picture(
            content=_without_metadata(image, upright, file, type),
            width=upright.width,
            height=upright.height,
            thumbnail=make_thumbnail(_first_frame(upright)),
            is_animated=_is_moving(image),
        )


def make_squares(file: BinaryIO, type: str) -> tuple[bytes, bytes]:
    """Return the middle of a picture as a small and a large square, both WebP. Raises `Refused` as `prepare` does."""
    with _explained(), _open(file, type) as image:
        upright = large_jpegs.decode(_strip_large(image, file)) if _is_large(image) else _upright(_first_frame(image))
        large, small = (make_square(upright, side) for side in SQUARES)
        return as_webp(small), as_webp(large)


def _open(file: BinaryIO, type: str) -> Image.Image:
    # `Image.open` would refuse a large JPEG. It would also open the second picture of a phone's JPEG (MPO).
    image = _Jpeg(file) if type == "image/jpeg" else Image.open(file, formats=[FORMATS[type]])
    _check_size(image, file)
    return image


class _Jpeg(JpegImageFile):
    """A JPEG whose end may be missing. Browsers show it too; some cameras do not write the last two bytes."""

    _is_ended = False

    def load_read(self, read_bytes: int) -> bytes:
        content = super().load_read(read_bytes)
        if not content and not self._is_ended:
            self._is_ended = True
            return END_OF_JPEG
        return content


def _is_large(image: Image.Image) -> bool:
    return image.width * image.height > MAX_PIXELS


def _prepare_large(image: Image.Image, file: BinaryIO) -> Picture:
    content = _strip_large(image, file)
    small = large_jpegs.decode(content)
    width, height = reversed(image.size) if _orientation(image) in ACROSS else image.size
    view = make_view(small, len(content))
    return Picture(content=content, width=width, height=height, thumbnail=make_thumbnail(small), view=view)


def _strip_large(image: Image.Image, file: BinaryIO) -> bytes:
    try:
        return large_jpegs.strip(_whole(file), _orientation(image))
    except ValueError as error:
        raise _too_many_pixels() from error


@contextmanager
def _explained() -> Iterator[None]:
    """Turn every error of a decoder into a refusal."""
    try:
        yield
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _too_many_pixels() from error
    except Refused:
        raise
    except Exception as error:  # damaged files cause many errors: struct.error, SyntaxError, IndexError
        raise Refused("invalid", "The picture cannot be read: it is damaged or incomplete.") from error


def _check_size(image: Image.Image, file: BinaryIO) -> None:
    if not 0 < image.width * image.height <= (large_jpegs.MAX_PIXELS if image.format == "JPEG" else MAX_PIXELS):
        raise _too_many_pixels()
    if image.format == "JPEG" and _whole(file).count(START_OF_SCAN) > MAX_SCANS:
        raise Refused("too_large", "The picture takes too long to process. Save it again, and try once more.")
    frames = getattr(image, "n_frames", 1)
    if frames > MAX_FRAMES or frames * image.width * image.height > MAX_MOVING_PIXELS:
        raise Refused("too_large", "The animation is too long: it has too many frames.")


def _too_many_pixels() -> Refused:
    most, in_jpeg = (pixels // 1_000_000 for pixels in (MAX_PIXELS, large_jpegs.MAX_PIXELS))
    return Refused(
        "too_large",
        f"The picture has too many pixels: at most {most} million are allowed ({in_jpeg} million in a JPEG that is not "
        "progressive).",
    )


def _orientation(image: Image.Image) -> int:
    """Return the orientation of EXIF. Pillow would also use that of XMP, which browsers ignore."""
    for name in XMP:
        image.info.pop(name, None)
    found = image.getexif().get(ORIENTATION)
    return found if isinstance(found, int) and 1 <= found <= 8 else 1


def _upright(image: Image.Image) -> Image.Image:
    image.load()  # a PNG may have its EXIF at its end
    return image if _orientation(image) == 1 else ImageOps.exif_transpose(image)


def _first_frame(image: Image.Image) -> Image.Image:
    """Show the first frame of an animation. The first picture of an animated PNG may be only for old programs."""
    if _is_moving(image) and image.info.get("default_image"):
        image.seek(1)
    return image


def _is_moving(image: Image.Image) -> bool:
    return bool(getattr(image, "n_frames", 1) > 1)


def _without_metadata(image: Image.Image, upright: Image.Image, file: BinaryIO, type: str) -> bytes:
    """Return the bytes of the picture without EXIF, XMP and comments, which tell where it was taken."""
    if type == "image/gif":
        return gifs.strip(_whole(file))
    if type == "image/webp" and upright is image:
        return _strip_webp(_whole(file))
    if type == "image/png" and upright is image:
        return _strip_png(_whole(file), getattr(image, "n_frames", 1))
    if type == "image/jpeg":
        return _encode_jpeg(image, upright, _whole(file))
    profile = image.info.get("icc_profile")  # without it, colours would change
    if type == "image/png":
        return _encode(upright, "PNG", icc_profile=profile)
    return _encode_webp(upright, profile or b"", _whole(file))


def _encode_jpeg(image: Image.Image, upright: Image.Image, content: bytes) -> bytes:
    """Return a JPEG of the same quality: with the same quantization tables, so that it is about as large."""
    options: dict[str, Any] = {"quality": "keep"}
    if upright is not image:
        with suppress(ValueError):  # it keeps its pixels and its orientation
            return large_jpegs.strip(content, _orientation(image))
        tables = vars(image)["quantization"]
        options = {"qtables": tables, "subsampling": max(get_sampling(image), 0)}
    options |= {"icc_profile": image.info.get("icc_profile"), "progressive": "progressive" in image.info}
    return _encode(upright, "JPEG", comment=b"", **options)


def _encode_webp(upright: Image.Image, profile: bytes, content: bytes) -> bytes:
    """Return a WebP that is about as large as the turned picture `content`, and lossless if that is lossless."""
    if any(name == b"VP8L" for name, _ in _webp_chunks(content)):
        return _encode(upright, "WEBP", icc_profile=profile, lossless=True)
    for quality in WEBP_QUALITIES:
        encoded = _encode(upright, "WEBP", icc_profile=profile, quality=quality)
        if len(encoded) <= len(content) * MOST_GROWTH:
            break
    return encoded


def _encode(image: Image.Image, format: str, **options: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, format, **options)
    return out.getvalue()


def _whole(file: BinaryIO) -> bytes:
    position = file.tell()
    file.seek(0)
    content = file.read()
    file.seek(position)
    return content


def _strip_png(content: bytes, frames: int) -> bytes:
    """Return a PNG without EXIF and texts; the PNG is not encoded again."""
    pieces = [PNG_MARK]
    found = 0
    for name, chunk in _png_chunks(content):
        found += name == b"fcTL"
        if name in PNG_CHUNKS:
            pieces.append(chunk)
    if found > frames:
        raise Refused("invalid", "The picture cannot be read: it has more frames than its header says.")
    return b"".join(pieces)


def _png_chunks(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    position = len(PNG_MARK)
    while position + 12 <= len(content):
        following = position + 12 + int(struct.unpack_from(">I", content, position)[0])
        name = content[position + 4 : position + 8]
        yield name, content[position:following]
        if name == b"IEND":
            return
        position = following


def _strip_webp(content: bytes) -> bytes:
    """Return a WebP without EXIF, without XMP, and without bytes after its end."""
    pieces = []
    for name, chunk in _webp_chunks(content):
        if name == b"VP8X":
            chunk = chunk[:8] + bytes([chunk[8] & ~0b1100]) + chunk[9:]  # noqa: PLW2901  clears the flags of both
        if name not in {b"EXIF", b"XMP "}:
            pieces.append(chunk)
    body = b"WEBP" + b"".join(pieces)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def _webp_chunks(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    position = 12
    end = min(len(content), 8 + struct.unpack_from("<I", content, 4)[0])
    while position + 8 <= end:
        size = struct.unpack_from("<I", content, position + 4)[0]
        following = position + 8 + size + size % 2
        yield content[position : position + 4], content[position:following]
        position = following
