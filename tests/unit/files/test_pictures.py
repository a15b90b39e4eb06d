import io
import struct
import zlib
from typing import Any

import pytest
from PIL import Image, ImageChops, ImageOps, ImageStat
from PIL.PngImagePlugin import PngImageFile, PngInfo

from chatroom.base.errors import Refused
from chatroom.files import large_jpegs, pictures
from chatroom.files.pictures import make_squares, prepare
from chatroom.files.thumbnails import THUMBNAIL
from tests.pictures import SECRET, make_bomb, make_moving, make_photo, make_picture

TYPES = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp", "GIF": "image/gif"}


def made(content: bytes, format: str) -> pictures.Picture:
    return prepare(io.BytesIO(content), TYPES[format])


def opened(content: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(content))
    image.load()
    return image


@pytest.mark.parametrize("turned", [1, 6])
@pytest.mark.parametrize(
    ("format", "more"),
    [
        ("JPEG", {"comment": SECRET, "xmp": SECRET}),
        ("PNG", {}),
        ("WEBP", {"xmp": SECRET}),
        ("WEBP", {"lossless": True}),
    ],
)
def test_metadata_is_removed_and_the_picture_is_upright(format: str, more: dict[str, Any], turned: int) -> None:
    """B08."""
    content = make_picture(format, turned=turned, **more)
    assert SECRET in content

    picture = made(content, format)

    assert SECRET not in picture.content
    assert SECRET not in picture.thumbnail
    stored = opened(picture.content)
    assert dict(stored.getexif()) == ({0x0112: 6} if format == "JPEG" and turned == 6 else {})
    image = ImageOps.exif_transpose(stored)
    assert (picture.width, picture.height) == image.size == ((120, 80) if turned == 1 else (80, 120))
    red, green, blue = image.convert("RGB").getpixel((5, 5))  # type: ignore[misc]
    assert red > 200
    assert max(green, blue) < 60


@pytest.mark.parametrize("turned", range(1, 9))
def test_a_turned_jpeg_keeps_its_pixels_and_its_size(turned: int) -> None:
    content = make_photo("JPEG", turned=turned, quality=70)
    picture = made(content, "JPEG")
    assert len(picture.content) <= len(content) + 100
    stored, original = ImageOps.exif_transpose(opened(picture.content)), ImageOps.exif_transpose(opened(content))
    assert loss(stored, original) < (1 if turned == 1 else 0.001)
    assert (picture.width, picture.height) == stored.size


@pytest.mark.parametrize(
    ("format", "options"),
    [
        *(("JPEG", {"quality": 70, "subsampling": sub, "progressive": True}) for sub in (0, 1, 2)),
        ("JPEG", {"quality": 95, "progressive": True}),
        ("WEBP", {"quality": 60}),
        ("WEBP", {"quality": 75}),
        ("WEBP", {"quality": 95}),
        ("WEBP", {"lossless": True}),
    ],
    ids=str,
)
def test_a_picture_that_is_encoded_again_keeps_its_quality_and_its_size(format: str, options: dict[str, Any]) -> None:
    content = make_photo(format, turned=6, **options)
    stored = made(content, format).content
    assert len(stored) <= 1.2 * len(content)
    assert not opened(stored).getexif()
    assert loss(opened(stored), ImageOps.exif_transpose(opened(content))) < (0.001 if "lossless" in options else 4)


def loss(one: Image.Image, other: Image.Image) -> float:
    """The average difference of a pixel's value."""
    return sum(ImageStat.Stat(ImageChops.difference(one.convert("RGB"), other.convert("RGB"))).mean) / 3


def test_a_phones_picture_with_a_second_one_behind_it_becomes_one() -> None:
    out = io.BytesIO()
    first, second = (Image.new("RGB", (60, 40), color) for color in ("red", "blue"))
    first.save(out, "MPO", save_all=True, append_images=[second])
    image = opened(made(out.getvalue(), "JPEG").content)
    assert (image.format, image.size) == ("JPEG", (60, 40))


def test_bytes_after_the_end_are_removed() -> None:
    """B01: A picture that is an archive or a page as well."""
    for format in ("JPEG", "PNG", "WEBP"):
        assert b"<script>" not in made(make_picture(format) + b"<script>alert(1)</script>", format).content, format


@pytest.mark.parametrize("format", ["GIF", "PNG", "WEBP"])
def test_animations_stay_animated(format: str) -> None:
    picture = made(make_moving(format), format)
    assert getattr(opened(picture.content), "n_frames", 1) == 3
    assert getattr(opened(picture.thumbnail), "n_frames", 1) == 1


def test_a_thumbnail_fits_its_frame_and_keeps_its_shape() -> None:
    picture = made(make_picture("JPEG", (2000, 500)), "JPEG")
    image = opened(picture.thumbnail)
    assert image.format == "WEBP"
    assert image.size == (THUMBNAIL[0], 160)
    assert opened(made(make_picture("PNG", (10, 8)), "PNG").thumbnail).size == (10, 8)


def test_transparency_is_kept() -> None:
    out = io.BytesIO()
    Image.new("RGBA", (20, 20), (255, 0, 0, 0)).save(out, "PNG")
    assert opened(made(out.getvalue(), "PNG").thumbnail).convert("RGBA").getpixel((3, 3))[3] == 0  # type: ignore[index]


@pytest.mark.parametrize("size", [(30_000, 30_000), (10_000, 6_000), (1, 50_000_001)])
def test_a_bomb_is_refused_before_it_is_decoded(size: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    """B03."""
    monkeypatch.setattr(Image.Image, "load", lambda image: pytest.fail("it was decoded"))
    with pytest.raises(Refused, match=r"too many pixels: at most 50 million .* \(250 million in a JPEG") as caught:
        made(make_bomb(*size), "PNG")
    assert caught.value.reason == "too_large"


def test_too_long_animations_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """B03."""
    monkeypatch.setattr(pictures, "MAX_FRAMES", 4)
    with pytest.raises(Refused, match="too many frames"):
        made(make_moving("GIF", 5), "GIF")
    monkeypatch.setattr(pictures, "MAX_MOVING_PIXELS", 40 * 30 * 3)
    with pytest.raises(Refused, match="too many frames"):
        made(make_moving("GIF", 4), "GIF")


@pytest.mark.parametrize("format", TYPES)
def test_a_damaged_picture_is_refused(format: str) -> None:
    content = make_moving("GIF") if format == "GIF" else make_picture(format)
    pieces = [content[:30], content[:20] + bytes(200), content[: len(content) // 2]]
    for broken in pieces[: 2 if format in {"GIF", "JPEG"} else 3]:  # browsers show the first half of these
        with pytest.raises(Refused) as caught:
            made(broken, format)
        assert caught.value.reason in {"invalid", "too_large"}


@pytest.mark.parametrize("options", [{}, {"progressive": True}], ids=["rows", "progressive"])
def test_a_jpeg_without_its_end_is_shown_as_browsers_show_it(options: dict[str, Any]) -> None:
    content = make_picture("JPEG", (240, 160), **options)
    for cut in (1, 2, len(content) // 4):
        picture = made(content[:-cut], "JPEG")
        assert (opened(picture.content).size, SECRET in picture.content) == ((240, 160), False)
        red, _, blue = opened(picture.thumbnail).convert("RGB").getpixel((20, 20))  # type: ignore[misc]
        assert red > 200 > 60 > blue
        assert all(opened(square).size for square in make_squares(io.BytesIO(content[:-cut]), "image/jpeg"))


def test_a_jpeg_of_many_empty_scans_is_refused_before_it_is_decoded() -> None:
    """B03: 25 MB of them would hold a thread, and the turn of everybody's pictures, for hours."""
    out = io.BytesIO()
    Image.new("RGB", (64, 64), "red").save(out, "JPEG", progressive=True)
    content = out.getvalue()
    assert made(content, "JPEG").width == 64

    scan = content[content.rindex(b"\xff\xda") : -2]
    bomb = content[:-2] + 200 * scan + content[-2:]

    for make in (lambda: prepare(io.BytesIO(bomb), "image/jpeg"), lambda: make_squares(io.BytesIO(bomb), "image/jpeg")):
        with pytest.raises(Refused, match="takes too long to process") as refused:
            make()
        assert refused.value.reason == "too_large"


def test_a_moving_png_is_not_decoded_frame_by_frame(monkeypatch: pytest.MonkeyPatch) -> None:
    """B03: made anew, a megabyte of a thousand frames takes eight gigabytes of memory."""
    out = io.BytesIO()
    frames = [Image.new("RGBA", (40, 30), color) for color in ("red", "green", "blue")]
    texts = PngInfo()
    texts.add_text("Comment", SECRET.decode())
    frames[0].save(out, "PNG", save_all=True, append_images=frames[1:], pnginfo=texts, exif=b"Exif\0\0" + SECRET)
    assert SECRET in out.getvalue()
    monkeypatch.setattr(PngImageFile, "seek", forbidden)

    content = made(out.getvalue() + SECRET, "PNG").content

    monkeypatch.undo()
    assert SECRET not in content
    image = opened(content)
    assert (getattr(image, "n_frames", 1), image.size) == (3, (40, 30))
    image.seek(2)
    assert image.convert("RGB").getpixel((5, 5)) == (0, 0, 255)


def test_an_animated_png_with_more_frames_than_declared_is_refused() -> None:
    """B03."""
    out = io.BytesIO()
    frames = [Image.new("RGB", (4, 4), color) for color in ("red", "green", "blue")]
    frames[0].save(out, "PNG", save_all=True, append_images=frames[1:])
    content = out.getvalue()
    place = content.index(b"acTL")
    claimed = b"acTL" + struct.pack(">II", 2, 0)
    lie = content[:place] + claimed + struct.pack(">I", zlib.crc32(claimed)) + content[place + 16 :]

    with pytest.raises(Refused, match="more frames than its header says"):
        made(lie, "PNG")


def forbidden(*_: Any) -> None:
    raise AssertionError("a frame was asked for")


LARGE = (400, 200)


@pytest.fixture
def few_pixels(monkeypatch: pytest.MonkeyPatch) -> None:
    """A JPEG of the size `LARGE` counts as one of 80 million pixels."""
    monkeypatch.setattr(pictures, "MAX_PIXELS", 50_000)
    monkeypatch.setattr(large_jpegs, "DECODED_PIXELS", 16_000)


@pytest.mark.parametrize("turned", [1, 6])
def test_a_large_jpeg_is_decoded_at_a_smaller_size(turned: int, few_pixels: None) -> None:
    """B03, B08: phones make pictures of 50 to 200 million pixels."""
    content = make_picture("JPEG", LARGE, turned=turned, comment=SECRET, xmp=SECRET, icc_profile=b"profile")
    picture = made(content + SECRET, "JPEG")

    assert SECRET not in picture.content
    assert (picture.width, picture.height) == (LARGE if turned == 1 else LARGE[::-1])
    stored = opened(picture.content)
    assert (stored.size, stored.info["icc_profile"]) == (LARGE, b"profile")
    assert dict(stored.getexif()) == {0x0112: turned}
    assert stored.tobytes() == opened(content).tobytes()
    small = LARGE[0] // 4, LARGE[1] // 4
    for copy in (picture.thumbnail, picture.view):
        image = opened(copy).convert("RGB")
        assert image.size == (small if turned == 1 else small[::-1])
        red, green, blue = image.getpixel((5, 5))  # type: ignore[misc]
        assert red > 200
        assert max(green, blue) < 60
    assert len(make_squares(io.BytesIO(content), "image/jpeg")) == 2


def test_a_large_jpeg_that_needs_much_memory_is_refused(few_pixels: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """B03."""
    progressive = make_picture("JPEG", LARGE, progressive=True)
    start = make_picture("JPEG", LARGE)
    scan = start.rindex(b"\xff\xda")
    for content in (progressive, start[:-2] + start[scan:], start[:scan], start[:40], make_picture("PNG", LARGE)):
        with pytest.raises(Refused, match=r"too many pixels|cannot be read"):
            made(content, "PNG" if content.startswith(b"\x89PNG") else "JPEG")
    monkeypatch.setattr(large_jpegs, "MAX_PIXELS", 60_000)
    with pytest.raises(Refused, match="too many pixels"):
        made(start, "JPEG")


def test_the_film_of_a_motion_photo_is_removed() -> None:
    """B08: the film tells the place again."""
    film = struct.pack(">I4s4sI", 16, b"ftyp", b"mp42", 0) + struct.pack(">I4s", 8 + len(SECRET), b"moov") + SECRET
    xmp = b"<x:xmpmeta><rdf:Description GCamera:MotionPhoto='1' Item:Length='%d'/></x:xmpmeta>" % len(film)
    picture = made(make_picture("JPEG", xmp=xmp) + film, "JPEG")
    assert SECRET not in picture.content
    assert b"MotionPhoto" not in picture.content
    assert opened(picture.content).size == (120, 80)


def test_the_gain_map_of_an_ultra_hdr_picture_is_removed() -> None:
    """Such a picture is shown with the colours of its first picture, as on most screens."""
    out = io.BytesIO()
    base = Image.new("RGB", (60, 40), "red")
    gain = Image.new("L", (30, 20), 200)
    base.save(out, "MPO", save_all=True, append_images=[gain], xmp=b"<x:xmpmeta hdrgm:Version='1.0'/>")
    content = made(out.getvalue(), "JPEG").content
    assert b"hdrgm" not in content
    assert content.count(b"\xff\xd8\xff") == 1
    assert opened(content).convert("RGB").getpixel((5, 5))[0] > 200  # type: ignore[index]


@pytest.mark.parametrize("format", ["GIF", "PNG", "WEBP"])
def test_only_a_moving_picture_is_animated(format: str) -> None:
    assert made(make_moving(format), format).is_animated
    assert not made(make_moving(format, 1), format).is_animated


def test_the_thumbnail_of_an_animation_is_its_first_frame() -> None:
    """The default picture of an animated PNG is for programs that show no animations."""
    frames = [Image.new("RGB", (40, 30), colour) for colour in ("red", "lime", "blue")]
    for options in ({"format": "GIF"}, {"format": "WEBP"}, {"format": "PNG"}, {"format": "PNG", "default_image": True}):
        out = io.BytesIO()
        frames[0].save(out, save_all=True, append_images=frames[1:], duration=100, **options)
        thumbnail = opened(made(out.getvalue(), str(options["format"])).thumbnail).convert("RGB")
        expected = 1 if "default_image" in options else 0
        assert thumbnail.getpixel((5, 5))[expected] > 240, options  # type: ignore[index]
