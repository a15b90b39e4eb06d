import io

import pytest

from chatroom.base.models import File
from chatroom.files.filetypes import HEAD_BYTES, INLINE, PLAYED, TEXT, UNKNOWN, find_type
from chatroom.web.files.shown import kind
from tests.corpus.files import FILES, Row
from tests.pictures import make_moving, make_picture


def type_of(content: bytes, name: str = "") -> str:
    return find_type(io.BytesIO(content), name)


@pytest.mark.parametrize("row", FILES, ids=lambda row: row.name)
def test_a_file_has_its_type_and_its_card_or_player(row: Row) -> None:
    found = type_of(row.content, row.name)
    assert (found, kind(File(id="1", name=row.name, type=found, size=len(row.content)))) == (row.type, row.kind)


def test_pictures_are_found_by_their_bytes_whatever_their_name() -> None:
    pictures = {
        make_picture("JPEG"): "image/jpeg",
        make_picture("PNG"): "image/png",
        make_picture("WEBP"): "image/webp",
    }
    for content, type in {**pictures, make_moving("GIF"): "image/gif"}.items():
        assert type_of(content, "report.docx") == type


def test_an_archive_with_a_million_names_is_not_read_whole() -> None:
    """B01."""

    class Counted(io.BytesIO):
        taken = 0

        def read(self, size: int | None = -1) -> bytes:
            content = super().read(size)
            self.taken += len(content)
            return content

    file = Counted(b"PK\3\4" + b"PK\1\2[Content_Types].xmlword/" * 100_000)
    assert find_type(file, "a.docx").endswith("wordprocessingml.document")
    assert file.taken < 200_000


@pytest.mark.parametrize(
    "page",
    [
        b"<html><script>alert(1)</script>",
        b"  \n<!DOCTYPE html>",
        b"\xef\xbb\xbf<HTML>",
        b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>',
        b"<svg onload=alert(1)>",
        b"<!-- a --><svg>",
        b"some words, then <script>alert(1)</script>",
        b"<x:script xmlns:x='http://www.w3.org/1999/xhtml'><svg>",
    ],
)
def test_types_that_browsers_might_run_become_plain_bytes(page: bytes) -> None:
    """B01."""
    for name in ("", "a.txt", "a.csv", "a.docx", "a.mp4"):
        assert type_of(page, name) == UNKNOWN


def test_only_harmless_types_are_shown_inline() -> None:
    assert not {"text/html", "image/svg+xml", "application/xml", "application/pdf", UNKNOWN} & INLINE
    assert not any("script" in type or "xml" in type for type in INLINE)
    assert all(type.startswith(("audio/", "video/")) for type in PLAYED)


def test_a_character_that_the_head_cuts_in_two_is_still_text() -> None:
    assert type_of(("x" * (HEAD_BYTES - 1) + "ü").encode()) == TEXT
    assert type_of(("x" * 10 + "ü").encode()[:-1]) == UNKNOWN
