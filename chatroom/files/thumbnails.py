"""Make small WebP copies of decoded pictures, in the same colours."""

import io

from PIL import Image, ImageOps

from chatroom.files.colours import to_eight_bits, to_screen

THUMBNAIL = (640, 480)
VIEW = (2048, 2048)
VIEW_BYTES = 500_000
MOST_VIEW_BYTES = 4_000_000
"""The maximum size of a view picture. More than `VIEW_BYTES` is allowed only if the original is larger too."""
QUALITIES = (80, 60, 40, 20)


def make_thumbnail(image: Image.Image) -> bytes:
    """Return the picture that a message shows, as a WebP."""
    return as_webp(_shrink(image, THUMBNAIL))


def make_square(image: Image.Image, side: int) -> Image.Image:
    """Return the middle of a picture."""
    return ImageOps.fit(to_eight_bits(image), (side, side), Image.Resampling.LANCZOS)


def make_view(image: Image.Image, original_bytes: int) -> bytes:
    """Return the picture for a whole screen, as a WebP. A larger original allows a larger view picture."""
    small = _shrink(image, VIEW)
    views = (as_webp(small, quality=quality) for quality in QUALITIES)
    most = min(max(VIEW_BYTES, original_bytes), MOST_VIEW_BYTES)
    return next((view for view in views if len(view) <= most), b"")


def as_webp(image: Image.Image, *, quality: int = 80) -> bytes:
    """Encode a picture as a WebP without metadata, except the profile of its colours."""
    out = io.BytesIO()
    shown, profile = to_screen(image)
    shown.save(out, "WEBP", quality=quality, exif=b"", xmp=b"", icc_profile=profile)
    return out.getvalue()


def _shrink(image: Image.Image, most: tuple[int, int]) -> Image.Image:
    picture = to_eight_bits(image)
    scale = min(most[0] / image.width, most[1] / image.height)
    if scale >= 1:
        return picture
    size = max(1, round(image.width * scale)), max(1, round(image.height * scale))
    return picture.resize(size, Image.Resampling.LANCZOS, reducing_gap=2.0)
