import io

import pytest
from PIL import Image

from chatroom.files import gifs
from tests.pictures import SECRET, make_moving

COMMENT = b"\x21\xfe\x0b" + SECRET + b"\0"
PROGRAM = b"\x21\xff\x0bXMP DataXMP\x0b" + SECRET + b"\0"
TEXT = b"\x21\x01\x0c" + bytes(12) + b"\x0b" + SECRET + b"\0"
LOOP = b"\x21\xff\x0bNETSCAPE2.0\x03\x01\x07\x00"


def with_blocks(*blocks: bytes) -> bytes:
    """A moving GIF with these in front of its first frame."""
    content = make_moving("GIF")
    start = 13 + 3 * 2 ** ((content[10] & 7) + 1)
    return content[:start] + b"".join(blocks) + content[start:]


def frames(content: bytes) -> list[bytes]:
    image = Image.open(io.BytesIO(content))
    found = []
    for number in range(getattr(image, "n_frames", 1)):
        image.seek(number)
        found.append(image.convert("RGB").tobytes())
    return found


@pytest.mark.parametrize("block", [COMMENT, PROGRAM, TEXT, LOOP + b"\x0b" + SECRET + b"\0"])
def test_non_visual_chunks_are_removed(block: bytes) -> None:
    """B11."""
    content = with_blocks(block)
    assert SECRET in content
    stripped = gifs.strip(content)
    assert SECRET not in stripped
    assert frames(stripped) == frames(make_moving("GIF"))


def test_it_is_repeated_as_often_as_before() -> None:
    stripped = gifs.strip(with_blocks(LOOP + b"\0"))
    image = Image.open(io.BytesIO(stripped))
    assert image.info["loop"] == 7
    assert gifs.strip(stripped) == stripped


def test_files_without_metadata_are_unchanged() -> None:
    content = make_moving("GIF")
    assert gifs.strip(content) == content
    assert gifs.strip(content + SECRET) == content


@pytest.mark.parametrize("cut", [13, 14, 20, -1, -5, -40])
def test_a_truncated_gif_stays_truncated(cut: int) -> None:
    assert gifs.strip(make_moving("GIF")[:cut])
