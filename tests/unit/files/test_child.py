"""The child process draws what it can, and whatever happens in it, the server goes on."""

import io
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pillow_heif
import pytest
from PIL import Image

from chatroom.base.threads import current_lane
from chatroom.files import child, renderer
from chatroom.files.child import DrawingProcesses
from tests.waiting import wait_until

pillow_heif.register_heif_opener()
FORMATS = {"image/heic": "HEIF", "image/avif": "AVIF", "application/pdf": "PDF"}
PROGRAM = "tests.unit.files.naughty"


@pytest.fixture
def make_drawing() -> Iterator[Callable[..., DrawingProcesses]]:
    made: list[DrawingProcesses] = []

    def make(**options: Any) -> DrawingProcesses:
        made.append(DrawingProcesses(**options))
        return made[-1]

    yield make
    for each in made:
        each.close()


def written(format: str, size: tuple[int, int] = (40, 30), **options: Any) -> io.BytesIO:
    file = io.BytesIO()
    Image.new("RGB", size, (200, 30, 60)).save(file, format, **options)
    return file


@pytest.mark.parametrize("type", FORMATS)
def test_a_file_is_drawn_in_another_process(type: str, make_drawing: Callable[..., DrawingProcesses]) -> None:
    drawing = make_drawing().draw(type, written(FORMATS[type]))
    assert drawing
    thumbnail = Image.open(io.BytesIO(drawing.thumbnail)).convert("RGB")
    assert max(abs(a - b) for a, b in zip(thumbnail.getpixel((5, 5)), (200, 30, 60), strict=True)) < 12  # type: ignore[arg-type]
    assert bool(drawing.view) == type.startswith("image/")


def test_a_damaged_file_has_no_picture(make_drawing: Callable[..., DrawingProcesses]) -> None:
    content = written("HEIF", (400, 300)).getvalue()
    assert make_drawing().draw("image/heic", io.BytesIO(content[: len(content) // 2])) is None


@pytest.mark.parametrize("fault", ["hang", "crash", "flood", "lie", "memory"])
def test_a_decoder_that_fails_costs_only_its_picture(fault: str, make_drawing: Callable[..., DrawingProcesses]) -> None:
    """B12."""
    drawing = make_drawing(program=PROGRAM, seconds=0.5 if fault == "hang" else 30.0)
    assert drawing.draw(fault, io.BytesIO(b"file")) is None
    assert not drawing._running


def test_a_system_that_starts_no_process_costs_only_the_picture(
    make_drawing: Callable[..., DrawingProcesses], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(child, "_ROOT", tmp_path / "missing")
    assert make_drawing().draw("application/pdf", io.BytesIO(b"%PDF-")) is None


def test_a_decoder_has_no_secrets_and_can_open_nothing(
    make_drawing: Callable[..., DrawingProcesses], monkeypatch: pytest.MonkeyPatch
) -> None:
    """B12."""
    monkeypatch.setenv("SECRET_KEY", "secret")
    drawing = make_drawing(program=PROGRAM).draw("look", io.BytesIO(b"file"))
    assert drawing
    assert drawing.thumbnail == b"file"
    assert drawing.view == b"file: refused, socket: refused, write: refused, SECRET_KEY: False"


def test_a_stopping_server_kills_the_processes(make_drawing: Callable[..., DrawingProcesses]) -> None:
    """B12."""
    drawing = make_drawing(program=PROGRAM)
    answers: list[object] = []
    thread = threading.Thread(target=lambda: answers.append(drawing.draw("hang", io.BytesIO(b"file"))))
    thread.start()
    wait_until(lambda: drawing._running, "nothing is drawn")
    (process,) = drawing._running
    drawing.close()
    thread.join()
    assert answers == [None]
    with pytest.raises(ProcessLookupError):
        os.kill(process.pid, 0)
    assert drawing.draw("hang", io.BytesIO(b"file")) is None


def test_a_file_that_waits_too_long_has_no_picture(
    make_drawing: Callable[..., DrawingProcesses], monkeypatch: pytest.MonkeyPatch
) -> None:
    """B12."""
    monkeypatch.setattr(child, "WAIT_SECONDS", 0.01)
    drawing = make_drawing()
    for _ in range(child.AT_ONCE):
        drawing._places.acquire()
    assert drawing.draw("image/avif", written("AVIF")) is None
    for _ in range(child.AT_ONCE):
        drawing._places.release()
    assert drawing.draw("image/avif", written("AVIF"))


def test_a_route_that_is_not_marked_cannot_draw(make_drawing: Callable[..., DrawingProcesses]) -> None:
    """L16."""
    token = current_lane.set("pages")
    try:
        with pytest.raises(RuntimeError, match="must be marked 'pictures'"):
            make_drawing().draw("image/avif", written("AVIF"))
    finally:
        current_lane.reset(token)


def test_a_picture_with_too_many_pixels_is_not_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    """B03."""
    file = written("AVIF")
    monkeypatch.setattr(renderer, "MAX_PIXELS", 1000)
    monkeypatch.setattr(Image.Image, "load", lambda image: pytest.fail("it was decoded"))
    with pytest.raises(ValueError, match="too many pixels"):
        renderer.draw("image/avif", file)
