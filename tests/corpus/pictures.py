"""Pictures as phones, cameras, scanners and programs write them, each with the colour that a viewer shows.

Every picture has one colour on its whole area, so the middle of a thumbnail has this colour too.
"""

import io
import struct
import zlib
from collections.abc import Iterator
from typing import Any, NamedTuple

import pillow_heif
from PIL import Image

pillow_heif.register_heif_opener()

Colour = tuple[int, int, int]
SIZE = (60, 40)
D65 = (0.3127, 0.3290)
DISPLAY_P3 = (0.51512, 0.2412, -0.00105), (0.29198, 0.69225, 0.04189), (0.1571, 0.06657, 0.78407)
ADOBE_RGB = (0.60974, 0.31111, 0.01947), (0.20528, 0.62567, 0.06087), (0.14919, 0.06322, 0.74457)
SWAPPED = ADOBE_RGB[2], ADOBE_RGB[1], ADOBE_RGB[0]
"""A profile with red and blue exchanged: nobody overlooks whether it is applied."""

STORED = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}
"""How an upright picture is stored in each orientation of EXIF."""


class Sample(NamedTuple):
    """A picture, and the colour that a viewer shows; `alpha` is the opacity of the picture's middle."""

    name: str
    type: str
    content: bytes
    colour: Colour
    alpha: int = 255
    size: tuple[int, int] = SIZE


def samples() -> Iterator[Sample]:
    """Make the pictures of all kinds."""
    yield from _grey()
    yield from _palettes()
    yield from _profiles()
    yield from _printed()
    yield from _gamma()
    yield from _phones()


def make(
    format: str, mode: str = "RGB", colour: Any = (200, 30, 60), size: tuple[int, int] = SIZE, **options: Any
) -> bytes:
    """Encode a picture of one colour."""
    return encode(Image.new(mode, size, colour), format, **options)


def encode(image: Image.Image, format: str, **options: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, format, **options)
    return out.getvalue()


def png(depth: int, kind: int, pixel: bytes, *chunks: tuple[bytes, bytes]) -> bytes:
    """A PNG that Pillow cannot write, of equal rows; `pixel` is repeated in each row."""
    width, height = SIZE
    row = pixel * (-(-width * depth * {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[kind] // 8) // len(pixel))
    head = struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, 0)
    data = zlib.compress((b"\0" + row) * height)
    parts = [(b"IHDR", head), *chunks, (b"IDAT", data), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body)) for name, body in parts
    )


def _grey() -> Iterator[Sample]:
    grey16 = struct.pack(">H", 30000)
    yield Sample("16-bit grey PNG", "image/png", png(16, 0, grey16), (117, 117, 117))
    yield Sample("16-bit white PNG", "image/png", png(16, 0, b"\xff\xff"), (255, 255, 255))
    yield Sample("16-bit dark PNG", "image/png", png(16, 0, struct.pack(">H", 5140)), (20, 20, 20))
    clear = png(16, 0, grey16, (b"tRNS", grey16))
    yield Sample("16-bit grey PNG, transparent", "image/png", clear, (0, 0, 0), alpha=0)
    other = png(16, 0, grey16, (b"tRNS", struct.pack(">H", 30001)))
    yield Sample("16-bit grey PNG, another value transparent", "image/png", other, (117, 117, 117))
    yield Sample("16-bit RGB PNG", "image/png", png(16, 2, struct.pack(">HHH", 51400, 7710, 15420)), (200, 30, 60))
    yield Sample("16-bit LA PNG", "image/png", png(16, 4, struct.pack(">HH", 30000, 65535)), (117, 117, 117))
    rgba = png(16, 6, struct.pack(">HHHH", 51400, 7710, 15420, 32896))
    yield Sample("16-bit RGBA PNG", "image/png", rgba, (200, 30, 60), alpha=128)
    yield Sample("LA PNG", "image/png", make("PNG", "LA", (90, 128)), (90, 90, 90), alpha=128)
    yield Sample("1-bit PNG", "image/png", make("PNG", "1", 1), (255, 255, 255))
    yield Sample("2-bit grey PNG", "image/png", png(2, 0, b"\xaa"), (170, 170, 170))
    yield Sample("grey JPEG", "image/jpeg", make("JPEG", "L", 117), (117, 117, 117))


def _palettes() -> Iterator[Sample]:
    palette = (b"PLTE", bytes((0, 0, 0, 200, 30, 60)))
    yield Sample("palette PNG", "image/png", png(8, 3, b"\1", palette), (200, 30, 60))
    yield Sample("palette PNG of 1 bit", "image/png", png(1, 3, b"\xff", palette), (200, 30, 60))
    half = png(8, 3, b"\1", palette, (b"tRNS", b"\0\x80"))
    yield Sample("palette PNG, half transparent", "image/png", half, (200, 30, 60), alpha=128)
    key = png(8, 2, bytes((200, 30, 60)), (b"tRNS", struct.pack(">HHH", 200, 30, 60)))
    yield Sample("RGB PNG with a transparent colour", "image/png", key, (0, 0, 0), alpha=0)
    yield Sample(
        "palette PNG with a profile", "image/png", png(8, 3, b"\1", _iccp(profile(SWAPPED)), palette), (66, 24, 205)
    )
    yield Sample("GIF", "image/gif", make("GIF"), (200, 30, 60))


def _profiles() -> Iterator[Sample]:
    p3, adobe = profile(DISPLAY_P3, srgb_curve=True), profile(ADOBE_RGB)
    for format in ("JPEG", "PNG", "WEBP"):
        type = f"image/{format.lower()}"
        more = {"lossless": True} if format == "WEBP" else {"quality": 100} if format == "JPEG" else {}
        yield Sample(f"Display-P3 {format}", type, make(format, icc_profile=p3, **more), (218, 0, 54))
        yield Sample(f"Adobe RGB {format}", type, make(format, icc_profile=adobe, **more), (233, 24, 58))
        yield Sample(
            f"{format} with a damaged profile",
            type,
            make(format, icc_profile=b"no profile" * 20, **more),
            (200, 30, 60),
        )
    clear = make("PNG", "RGBA", (200, 30, 60, 128), icc_profile=profile(SWAPPED))
    yield Sample("RGBA PNG with a profile", "image/png", clear, (66, 24, 205), alpha=128)
    grey = make("PNG", "L", 117, icc_profile=profile(gamma=1.0))
    yield Sample("grey PNG with a profile", "image/png", grey, (180, 180, 180))
    grey = make("JPEG", "L", 117, icc_profile=profile(gamma=1.0))
    yield Sample("grey JPEG with a profile", "image/jpeg", grey, (180, 180, 180))
    wrong = make("PNG", "L", 117, icc_profile=p3)
    yield Sample("grey PNG with the profile of an RGB picture", "image/png", wrong, (117, 117, 117))
    swapped = make("JPEG", icc_profile=profile(SWAPPED), quality=100)
    yield Sample("JPEG with a strange profile", "image/jpeg", swapped, (66, 24, 205))


def _printed() -> Iterator[Sample]:
    ink = (0, 200, 150, 40)
    yield Sample("CMYK JPEG", "image/jpeg", make("JPEG", "CMYK", ink, quality=100), (215, 46, 89))
    corner = (0, 255, 255, 0)
    printed = make("JPEG", "CMYK", corner, quality=100, icc_profile=cmyk_profile())
    yield Sample("CMYK JPEG with a profile", "image/jpeg", printed, (221, 105, 83))


def _gamma() -> Iterator[Sample]:
    pixel = bytes((200, 30, 60))
    yield Sample(
        "PNG with gamma 1/2.2", "image/png", png(8, 2, pixel, (b"gAMA", struct.pack(">I", 45455))), (200, 30, 60)
    )
    yield Sample(
        "PNG with gamma 1", "image/png", png(8, 2, pixel, (b"gAMA", struct.pack(">I", 100_000))), (229, 96, 132)
    )
    primaries = *D65, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060
    chrm = (b"cHRM", struct.pack(">8I", *(round(each * 100_000) for each in primaries)))
    p3 = png(8, 2, pixel, (b"gAMA", struct.pack(">I", 45455)), chrm)
    yield Sample("PNG with the primaries of Display P3", "image/png", p3, (218, 0, 54))
    yield Sample("PNG with primaries, without gamma", "image/png", png(8, 2, pixel, chrm), (200, 30, 60))
    srgb = png(8, 2, pixel, (b"sRGB", b"\0"), (b"gAMA", struct.pack(">I", 100_000)))
    yield Sample("PNG with sRGB and gamma 1", "image/png", srgb, (200, 30, 60))


def _phones() -> Iterator[Sample]:
    p3 = profile(DISPLAY_P3, srgb_curve=True)
    yield Sample("HEIC", "image/heic", make("HEIF", quality=95), (200, 30, 60))
    yield Sample("HEIC in Display P3", "image/heic", make("HEIF", quality=95, icc_profile=p3), (218, 0, 54))
    yield Sample("AVIF", "image/avif", make("AVIF", quality=95), (200, 30, 60))
    yield Sample("AVIF in Display P3", "image/avif", make("AVIF", quality=95, icc_profile=p3), (218, 0, 54))
    yield Sample(
        "transparent AVIF", "image/avif", make("AVIF", "RGBA", (200, 30, 60, 128), quality=95), (200, 30, 60), alpha=128
    )
    for format in ("HEIF", "AVIF"):
        type = "image/heic" if format == "HEIF" else "image/avif"
        yield Sample(f"{format} that states Display P3 by a number", type, _stated_p3(format), (218, 0, 54))
    yield Sample("1×1", "image/png", make("PNG", size=(1, 1)), (200, 30, 60), size=(1, 1))
    yield Sample("20,000×1", "image/png", make("PNG", size=(20_000, 1)), (200, 30, 60), size=(20_000, 1))
    yield Sample(
        "panorama", "image/jpeg", make("JPEG", size=(16_000, 900), quality=95), (200, 30, 60), size=(16_000, 900)
    )


def turned(format: str, orientation: int, **options: Any) -> bytes:
    """A picture that is red, green, blue and grey at its upright corners, and is stored in this orientation."""
    image = Image.new("RGB", (64, 32), (128, 128, 128))
    for colour, corner in (((255, 0, 0), (0, 0)), ((0, 255, 0), (32, 0)), ((0, 0, 255), (0, 16))):
        image.paste(colour, (*corner, corner[0] + 32, corner[1] + 16))
    transposed = image.transpose(STORED[orientation]) if orientation > 1 else image
    exif = Image.Exif()
    exif[0x0112] = orientation
    return encode(transposed, format, exif=exif.tobytes(), **options)


def _stated_p3(format: str) -> bytes:
    """A picture whose box `colr` has the number of Display P3 in the place of that of sRGB."""
    content = make(format, quality=95)
    at = content.index(b"colrnclx") + 8
    return content[:at] + b"\0\x0c" + content[at + 2 :]


def _iccp(content: bytes) -> tuple[bytes, bytes]:
    return b"iCCP", b"profile\0\0" + zlib.compress(content)


def profile(
    primaries: tuple[tuple[float, ...], ...] = (), *, gamma: float = 2.19921875, srgb_curve: bool = False
) -> bytes:
    """An ICC profile of three primaries and a curve, or of a curve alone for grey pictures."""
    curve = b"curv" + bytes(4) + struct.pack(">IH", 1, round(gamma * 256)) + bytes(2)
    if srgb_curve:
        numbers = 2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045
        curve = b"para" + bytes(4) + struct.pack(">HH5i", 3, 0, *map(_fixed, numbers))
    tags = [(b"wtpt", _xyz(0.9642, 1.0, 0.8249))]
    if primaries:
        tags += [(name + b"XYZ", _xyz(*each)) for name, each in zip((b"r", b"g", b"b"), primaries, strict=True)]
        tags += [(name + b"TRC", curve) for name in (b"r", b"g", b"b")]
    else:
        tags.append((b"kTRC", curve))
    return _assemble(b"mntr", b"RGB " if primaries else b"GRAY", b"XYZ ", tags)


def cmyk_profile() -> bytes:
    """An ICC profile of a printer: a table of the corners of the cube of inks, in Lab."""
    table = b""
    for c, m, y, k in ((n >> 3 & 1, n >> 2 & 1, n >> 1 & 1, n & 1) for n in range(16)):
        light = 0 if k else 255 - 80 * c - 90 * m - 15 * y
        table += bytes((light, 128 + (0 if k else 45 * m - 40 * c), 128 + (0 if k else 35 * y - 30 * c)))
    same = bytes(range(256))
    matrix = struct.pack(">9i", *(_fixed(each) for each in (1, 0, 0, 0, 1, 0, 0, 0, 1)))
    lut = b"mft1" + bytes(4) + bytes((4, 3, 2, 0)) + matrix + same * 4 + table + same * 3
    return _assemble(b"prtr", b"CMYK", b"Lab ", [(b"wtpt", _xyz(0.9642, 1.0, 0.8249)), (b"A2B0", lut)])


def _assemble(kind: bytes, space: bytes, connection: bytes, tags: list[tuple[bytes, bytes]]) -> bytes:
    name = b"desc" + bytes(4) + struct.pack(">I", 5) + b"test\0" + bytes(78)
    tags = [(b"desc", name), (b"cprt", b"text" + bytes(4) + b"none\0"), *tags]
    position = 128 + 4 + 12 * len(tags)
    table, body = struct.pack(">I", len(tags)), b""
    for tag, content in tags:
        padded = content + bytes(-len(content) % 4)
        table += tag + struct.pack(">II", position + len(body), len(content))
        body += padded
    head = struct.pack(">I4sI4s4s4s", position + len(body), bytes(4), 0x02400000, kind, space, connection)
    head += struct.pack(">6H", 2026, 1, 1, 0, 0, 0) + b"acsp" + bytes(28) + _xyz(0.9642, 1.0, 0.8249)[8:]
    return head.ljust(128, b"\0") + table + body


def _xyz(*numbers: float) -> bytes:
    return b"XYZ " + bytes(4) + struct.pack(">3i", *map(_fixed, numbers))


def _fixed(number: float) -> int:
    return round(number * 65536)
