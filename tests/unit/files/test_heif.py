"""HEIC and AVIF pictures lose their metadata, and nothing else."""

import io
import struct

import pillow_heif
import pytest
from PIL import Image

from chatroom.files import heif
from tests.corpus.pictures import make
from tests.pictures import SECRET

XMP = b"<x:xmpmeta xmlns:x='adobe:ns:meta/'>" + SECRET + b"</x:xmpmeta>"


def secret_exif() -> bytes:
    exif = Image.Exif()
    exif[0x010E] = SECRET.decode()
    exif.get_ifd(0x8825)[29] = "2026:11:28"
    return exif.tobytes()


def stripped(content: bytes) -> bytes:
    file = io.BytesIO(content)
    heif.strip(file)
    return file.getvalue()


def pixels(content: bytes) -> bytes:
    image = Image.open(io.BytesIO(content))
    return image.convert("RGBA").tobytes()


@pytest.mark.parametrize("format", ["HEIF", "AVIF"])
@pytest.mark.parametrize("frames", [1, 3])
def test_metadata_is_removed_and_the_pixels_stay(format: str, frames: int) -> None:
    """B08."""
    more = (
        {"save_all": True, "append_images": [Image.new("RGB", (60, 40), "blue")] * (frames - 1)} if frames > 1 else {}
    )
    content = make(format, exif=secret_exif(), xmp=XMP, **more)
    assert content.count(SECRET) == 2 * (frames if format == "HEIF" else 1)

    result = stripped(content)

    assert SECRET not in result
    assert b"2026:11:28" not in result
    assert len(result) == len(content)
    assert pixels(result) == pixels(content)
    exif = Image.open(io.BytesIO(result)).getexif()
    assert not {tag: value for tag, value in exif.items() if tag != 0x0112}  # Pillow adds the orientation of AVIF


def test_a_turned_picture_stays_turned() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    content = make("HEIF", exif=exif.tobytes())
    assert Image.open(io.BytesIO(stripped(content))).size == (40, 60)


@pytest.mark.parametrize(
    "behind",
    [
        struct.pack(">I4s", 8 + len(SECRET), b"mpvd") + SECRET,  # the film of a motion photo
        struct.pack(">I4s", 8 + len(SECRET), b"sefd") + SECRET,
        struct.pack(">I4s", 8 + len(SECRET), b"uuid") + SECRET,
        b"MotionPhoto_Data" + SECRET,
        struct.pack(">I4s", 900, b"udta") + SECRET,
    ],
)
def test_films_and_data_behind_a_picture_are_removed(behind: bytes) -> None:
    """B08."""
    content = make("HEIF")
    result = stripped(content + behind)
    assert SECRET not in result
    assert pixels(result) == pixels(content)


def test_damaged_and_hostile_tables_end() -> None:
    """B03: pieces without a length, and pieces that are the whole file many times."""
    content = make("HEIF", exif=secret_exif())
    at = content.index(b"iloc") + 8
    for widths in (0x0000, 0x0040, 0x4400, 0x4440, 0x8888, 0xFFFF):
        for count in (1, 0xFFFF):
            lie = content[:at] + struct.pack(">HH", widths, count) + content[at + 4 :]
            assert len(stripped(lie)) == len(content)
    for cut in range(0, len(content), 7):
        assert len(stripped(content[:cut])) == cut


def test_a_sequence_of_pictures_is_stripped_like_a_film() -> None:
    """B08."""
    film = (
        make("HEIF")
        + struct.pack(">I4s", 16 + len(SECRET), b"moov")
        + struct.pack(">I4s", 8 + len(SECRET), b"udta")
        + SECRET
    )
    assert SECRET not in stripped(film)


def test_the_library_reads_what_is_left() -> None:
    content = stripped(make("HEIF", exif=secret_exif(), xmp=XMP))
    assert pillow_heif.open_heif(io.BytesIO(content)).size == (60, 40)
