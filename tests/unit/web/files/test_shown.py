"""The same cases as in tests/js/files.test.js: a file looks the same whoever made its element."""

import re
from pathlib import Path

import pytest
from flask import Flask

from chatroom.base.models import File
from chatroom.files.filetypes import PICTURES, PLAYED
from chatroom.web.files.shown import ending, facts, kind, shown_size, shown_url, split_name, view_url


def file(**more: object) -> File:
    return File(**{"id": "1", "name": "a", "type": "x/y", "size": 1, **more})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("type", "width", "expected"),
    [
        ("image/png", 5, "picture"),
        ("image/png", None, "card"),
        ("video/mp4", None, "video"),
        ("audio/mpeg", None, "audio"),
        ("audio/amr", None, "card"),
        ("application/pdf", None, "card"),
    ],
)
def test_a_file_is_shown_by_its_kind(type: str, width: int | None, expected: str) -> None:
    assert kind(file(type=type, width=width)) == expected


@pytest.mark.parametrize(
    ("size", "expected"),
    [((100, 50), (100, 50)), ((4000, 3000), (360, 270)), ((300, 3000), (27, 270)), ((50_000, 10), (360, 1))],
)
def test_a_picture_keeps_its_aspect_ratio_and_is_never_enlarged(
    size: tuple[int, int], expected: tuple[int, int]
) -> None:
    assert shown_size(file(width=size[0], height=size[1])) == expected


@pytest.mark.parametrize(
    ("more", "moves"),
    [
        ({"type": "image/gif"}, True),
        ({"type": "image/webp", "is_animated": True}, True),
        ({"type": "image/png", "is_animated": True}, True),
        ({"type": "image/webp"}, False),
        ({"type": "image/gif", "size": 3_000_001}, False),
        ({"type": "image/png", "is_animated": True, "size": 3_000_001}, False),
    ],
)
def test_a_small_animation_moves_in_a_message(app: Flask, more: dict[str, object], moves: bool) -> None:
    with app.test_request_context():
        assert shown_url(file(**more)) == ("/files/1/a" if moves else "/files/1/thumbnail")


def test_a_view_picture_is_shown_instead_of_the_file(app: Flask) -> None:
    heic = file(type="image/heic", width=40, height=30, has_view=True)
    with app.test_request_context():
        assert (kind(heic), view_url(heic), shown_url(heic)) == ("picture", "/files/1/view", "/files/1/thumbnail")
        assert view_url(file(type="image/png", width=40)) == "/files/1/a"
    assert kind(file(type="image/heic")) == "card"


def test_a_pdf_with_pages_is_a_document() -> None:
    assert kind(file(type="application/pdf", pages=3)) == "document"
    assert [facts(file(size=2000, pages=pages)) for pages in (None, 1, 3)] == [
        "2.0 kB",
        "1 page · 2.0 kB",
        "3 pages · 2.0 kB",
    ]


def test_a_card_shows_the_ending() -> None:
    names = ["a.pdf", "a.tar.gz", "README", "a.markdown"]
    assert [ending(file(name=name)) for name in names] == ["PDF", "GZ", "FILE", "FILE"]


def test_the_ending_of_a_name_stays_visible() -> None:
    names = ["a.pdf", "a.tar.gz", ".gitignore", "README", "קובץ.docx", "a. Chapter one", "v1.2.3.tar.xz", "x.exe.pdf"]
    assert [split_name(name) for name in [*names, ".env.local", "日.拡張子"]] == [
        ("a", ".pdf"),
        ("a", ".tar.gz"),
        (".gitignore", ""),
        ("README", ""),
        ("קובץ", ".docx"),
        ("a. Chapter one", ""),
        ("v1.2.3", ".tar.xz"),
        ("x.exe", ".pdf"),
        (".env", ".local"),
        ("日", ".拡張子"),
    ]


def test_the_script_knows_the_same_types() -> None:
    script = Path("static/views/files/files.js").read_text(encoding="utf-8")
    for name, types in (("PICTURES", PICTURES), ("PLAYED", PLAYED)):
        listed = re.search(rf"const {name} = new Set\(\[(.*?)\]\);", script, re.DOTALL)
        assert listed
        assert set(re.findall(r'"([^"]+)"', listed[1])) == set(types)
