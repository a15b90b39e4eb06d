"""Pictures have the same colours and the same orientation in the thumbnail, in the avatar and in the viewer."""

import io
import struct

import pytest
from PIL import Image, ImageCms, ImageOps

from chatroom.files import pictures, renderer
from chatroom.files.profiles import SRGB, make_profile
from tests.corpus.pictures import DISPLAY_P3, SIZE, Sample, make, profile, samples, turned

SAMPLES = list(samples())


def shown(content: bytes) -> Image.Image:
    """Decode a picture as a browser with an sRGB screen does."""
    image = Image.open(io.BytesIO(content))
    own = image.info.get("icc_profile")
    image = image.convert("RGBA")
    if own:
        srgb = ImageCms.createProfile("sRGB")
        image = ImageCms.profileToProfile(image, io.BytesIO(own), srgb, outputMode="RGBA") or image
    return image


def assert_shows(content: bytes, sample: Sample) -> None:
    image = shown(content)
    *colour, alpha = image.getpixel((image.width // 2, image.height // 2))  # type: ignore[misc]
    assert abs(alpha - sample.alpha) < 4
    if alpha:
        assert max(abs(a - b) for a, b in zip(colour, sample.colour, strict=True)) < 8, (colour, sample.colour)


@pytest.mark.parametrize("sample", SAMPLES, ids=[sample.name for sample in SAMPLES])
def test_a_thumbnail_and_an_avatar_have_the_colours_of_the_viewer(sample: Sample) -> None:
    """B13: also with a profile that is damaged, or that belongs to pictures of another kind."""
    if sample.type in renderer.OPENERS:
        drawing = renderer.draw(sample.type, io.BytesIO(sample.content))
        assert_shows(drawing.view, sample)
        assert (drawing.width, drawing.height) == sample.size
        assert_shows(drawing.thumbnail, sample)
        return
    picture = pictures.prepare(io.BytesIO(sample.content), sample.type)
    assert (picture.width, picture.height) == sample.size
    assert_shows(picture.thumbnail, sample)
    for square in pictures.make_squares(io.BytesIO(sample.content), sample.type):
        assert_shows(square, sample)


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "HEIF", "AVIF"])
def test_every_orientation_is_upright(format: str) -> None:
    for orientation in range(1, 9):
        content = io.BytesIO(turned(format, orientation, **({} if format == "PNG" else {"quality": 95})))
        type = f"image/{'heic' if format == 'HEIF' else format.lower()}"
        made = renderer.draw(type, content) if type in renderer.OPENERS else pictures.prepare(content, type)
        for picture in (made.thumbnail, made.content if isinstance(made, pictures.Picture) else made.view):
            image = ImageOps.exif_transpose(Image.open(io.BytesIO(picture))).convert("RGB")
            assert image.size == (64, 32), orientation
            corners = [image.getpixel((x, y)) for x, y in ((10, 5), (50, 5), (10, 25), (50, 25))]
            assert [max(range(3), key=list(corner).__getitem__) for corner in corners[:3]] == [0, 1, 2], orientation  # type: ignore[arg-type]


@pytest.mark.parametrize("format", ["JPEG", "WEBP"])
def test_an_orientation_in_xmp_does_not_turn_a_picture(format: str) -> None:
    """Browsers ignore it, and programs that turned the picture often leave it there."""
    content = make(format, xmp=b'<x:xmpmeta><rdf:Description tiff:Orientation="6"/></x:xmpmeta>')
    picture = pictures.prepare(io.BytesIO(content), f"image/{format.lower()}")
    assert (picture.width, picture.height) == SIZE


def test_a_small_profile_of_a_phone_stays_in_the_thumbnail() -> None:
    content = make("JPEG", icc_profile=profile(DISPLAY_P3, srgb_curve=True))
    thumbnail = pictures.prepare(io.BytesIO(content), "image/jpeg").thumbnail
    assert Image.open(io.BytesIO(thumbnail)).info["icc_profile"] == profile(DISPLAY_P3, srgb_curve=True)


def test_a_large_profile_does_not_stay_in_the_thumbnail() -> None:
    large = profile(DISPLAY_P3, srgb_curve=True) + bytes(5000)
    large = struct.pack(">I", len(large)) + large[4:]
    thumbnail = pictures.prepare(io.BytesIO(make("JPEG", icc_profile=large)), "image/jpeg").thumbnail
    assert_shows(thumbnail, Sample("", "", b"", (218, 0, 54)))
    assert "icc_profile" not in Image.open(io.BytesIO(thumbnail)).info


@pytest.mark.parametrize(
    "info",
    [
        {},
        {"gamma": 0.0},
        {"gamma": 1e9},
        {"gamma": 0.45455, "chromaticity": SRGB},
        {"gamma": 1.0, "chromaticity": (0.3, 0.3) * 4},
        {"gamma": 1.0, "chromaticity": (0.0, 0.0) * 4},
        {"gamma": 1.0, "chromaticity": (40_000.0, 0.00001) * 4},
    ],
)
def test_numbers_that_describe_no_colours_make_no_profile(info: dict[str, object]) -> None:
    assert make_profile(info) == b""
