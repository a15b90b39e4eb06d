import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatroom.names.files import LONGEST, clean_file_name

NAMES = {
    "report.pdf": "report.pdf",
    "Überblick ✓.txt": "Überblick ✓.txt",
    "../../etc/passwd": "passwd",
    "..\\..\\windows\\system.ini": "system.ini",
    "/": "file",
    "..": "file",
    ".": "file",
    "": "file",
    ".htaccess": "htaccess",
    "a\0b\r\nSet-Cookie: x.txt": "abSet-Cookie_ x.txt",
    "innocent\u202egpj.exe": "innocentgpj.exe",
    "zero\u200bwidth\ufeff.txt": "zerowidth.txt",
    '<b>"x"|?*.txt': "_b__x____.txt",
    "  spaces   and\ttabs .txt ": "spaces andtabs .txt",
    "half \ud800.txt": "half .txt",
    "x" * 300 + ".jpeg": "x" * (LONGEST - 5) + ".jpeg",
    "x" * 300: "x" * LONGEST,
    "nul.txt": "_nul.txt",
    "COM1": "_COM1",
    "console.log": "console.log",
    "x." + "y" * 300: ("x." + "y" * 300)[:LONGEST],
}


@pytest.mark.parametrize("name", NAMES)
def test_misleading_characters_are_removed_from_a_name(name: str) -> None:
    """B02."""
    assert clean_file_name(name) == NAMES[name]


def test_a_picture_ends_as_it_is() -> None:
    assert clean_file_name("cat.JPG", ".jpg") == "cat.JPG"
    assert clean_file_name("cat.jpeg", ".jpg") == "cat.jpeg"
    assert clean_file_name("cat.html", ".png") == "cat.html.png"
    assert clean_file_name("", ".webp") == "picture.webp"
    assert clean_file_name("thumbnail", ".gif") == "thumbnail.gif"
    assert clean_file_name("x" * 300, ".png") == "x" * (LONGEST - 4) + ".png"


@given(st.text())
def test_whatever_it_is_it_is_a_name(name: str) -> None:
    cleaned = clean_file_name(name)
    assert 0 < len(cleaned) <= LONGEST
    assert "/" not in cleaned
    assert "\\" not in cleaned
    assert cleaned == cleaned.strip(" .")
    assert clean_file_name(cleaned) == cleaned
    cleaned.encode("utf-8")
