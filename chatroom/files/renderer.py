"""The program of the child process: draw the picture of one file whose decoder is large, such as HEIC, AVIF or PDF.

The process limits itself before it reads the file. From then on it opens no file, no connection and no process.
`chatroom/files/child.py` starts it as `python -m chatroom.files.renderer TYPE`. The file is the standard input, and the
`Drawing` is written to the standard output.
"""

import os
import resource
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

import msgspec
from PIL import Image, ImageOps, TiffImagePlugin, WebPImagePlugin  # noqa: F401  (loaded now, because the process opens no files later)

from chatroom.files.profiles import DISPLAY_P3, SRGB_GAMMA
from chatroom.files.thumbnails import THUMBNAIL, make_thumbnail, make_view

MAX_PIXELS = 70_000_000
"""The maximum number of pixels. The panoramas of phones have up to 64 million."""
MEMORY_BYTES = 800_000_000
"""The address space of the process. A picture of 64 million pixels needs about 650 MB."""
CPU_SECONDS = 20
MOST_SECONDS = 30
"""The process ends after this time, even if the server has died and cannot kill it."""
LOWER_PRIORITY = 10
THREADED = {"image/heic", "image/heif"}
"""The types whose decoder (libde265) always starts a thread. For an account, a thread counts as a process."""
PAGE_SCALE = 2
"""The first page of a PDF is drawn at twice the size of a thumbnail, and then reduced."""

HEAD_BYTES = 65_536
"""The part of a file that describes the picture."""
P3_PRIMARIES = (12).to_bytes(2, "big")

Opener = Callable[[BinaryIO], Image.Image]


class Drawing(msgspec.Struct, frozen=True, kw_only=True):
    """What the child process answers. `view` is empty if the file is not a picture itself."""

    width: int
    height: int
    thumbnail: bytes
    view: bytes = b""
    pages: int | None = None


NO_DRAWING = Drawing(width=0, height=0, thumbnail=b"")


def draw(type: str, file: BinaryIO) -> Drawing:
    """Draw the picture of a file. Decoders raise many kinds of errors."""
    return _draw(OPENERS[type](), file, has_view=type.startswith("image/"))


def _draw(open_picture: Opener, file: BinaryIO, *, has_view: bool) -> Drawing:
    with open_picture(file) as image:
        if image.width * image.height > MAX_PIXELS:
            raise ValueError("the picture has too many pixels")
        image.load()
        _describe_colours(image, file)
        image.info.pop("xmp", None)  # browsers ignore an orientation there
        ImageOps.exif_transpose(image, in_place=True)
        view = make_view(image, file.seek(0, os.SEEK_END)) if has_view else b""
        width, height = image.size
        thumbnail = make_thumbnail(image)
        return Drawing(width=width, height=height, thumbnail=thumbnail, view=view, pages=image.info.get("pages"))


def _describe_colours(image: Image.Image, file: BinaryIO) -> None:
    """Note the primaries of Display P3 that a HEIC or AVIF states by a number; Pillow knows only profiles."""
    file.seek(0)
    _, found, numbers = file.read(HEAD_BYTES).partition(b"colrnclx")
    if found and numbers[:2] == P3_PRIMARIES and "icc_profile" not in image.info:
        image.info.update(gamma=SRGB_GAMMA, chromaticity=DISPLAY_P3)


def _load_heif() -> Opener:
    import pillow_heif  # noqa: PLC0415  (each decoder is loaded only for its own files)

    pillow_heif.options.DECODE_THREADS = 1
    pillow_heif.register_heif_opener()
    return lambda file: Image.open(file, formats=["HEIF"])


def _load_avif() -> Opener:
    from PIL import AvifImagePlugin  # noqa: PLC0415  (as above)

    AvifImagePlugin.DEFAULT_MAX_THREADS = 1
    return lambda file: Image.open(file, formats=["AVIF"])


def _load_pdf() -> Opener:
    import pypdfium2  # noqa: PLC0415  (as above)

    def open_first_page(file: BinaryIO) -> Image.Image:
        document = pypdfium2.PdfDocument(file)
        page = document[0]
        scale = PAGE_SCALE * min(THUMBNAIL[0] / page.get_width(), THUMBNAIL[1] / page.get_height())
        picture: Image.Image = page.render(scale=scale).to_pil()
        picture.info["pages"] = len(document)
        return picture

    return open_first_page


OPENERS: dict[str, Callable[[], Opener]] = {
    "image/heic": _load_heif,
    "image/heif": _load_heif,
    "image/avif": _load_avif,
    "application/pdf": _load_pdf,
}


def _confine(*, needs_threads: bool) -> None:
    """Give up all that a decoder does not need. An attacker in this process cannot raise these limits again."""
    signal.alarm(MOST_SECONDS)
    os.nice(LOWER_PRIORITY)
    with suppress(OSError):  # if the machine has too little memory, Linux ends this process, and not the server
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")
    limits = {
        resource.RLIMIT_AS: MEMORY_BYTES,
        resource.RLIMIT_CPU: CPU_SECONDS,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_FSIZE: 0,
        resource.RLIMIT_NOFILE: 0,
    }
    if not needs_threads:
        limits[resource.RLIMIT_NPROC] = 0
    for limit, value in limits.items():
        with suppress(ValueError, OSError):  # a system that does not have this limit
            resource.setrlimit(limit, (value, value))


def main(type: str) -> None:
    """Draw the picture of the file on the standard input."""
    Image.preinit()  # as above
    open_picture = OPENERS[type]()
    _confine(needs_threads=type in THREADED)
    drawing = _draw(open_picture, sys.stdin.buffer, has_view=type.startswith("image/"))
    sys.stdout.buffer.write(msgspec.msgpack.encode(drawing))


if __name__ == "__main__":
    main(sys.argv[1])
