import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chatroom.names.files import LONGEST_BYTES, clean_file_name, storable_name

NAMES = {
    "../../etc/passwd": "passwd",
    "..\\..\\windows\\system.ini": "system.ini",
    "a/b\\c": "c",
    "/": "file",
    "..": "file",
    ".": "file",
    " . ": "file",
    "": "file",
    "a\0b\r\nSet-Cookie: x.txt": "ab Set-Cookie: x.txt",
    "innocent\u202egpj.exe": "innocentgpj.exe",
    "\u2067photo\u2069gpj.exe": "photogpj.exe",
    "zero\u200bwidth\ufeff.txt": "zerowidth.txt",
    "in\u200dvoice.pdf": "invoice.pdf",
    "bill.pdf" + " " * 80 + ".exe": "bill.pdf .exe",
    "  spaces   and\ttabs .txt ": "spaces and tabs .txt",
    "half \ud800.txt": "half .txt",
    "u\u0308ber.pdf": "über.pdf",
    "x" * 300 + ".jpeg": "x" * (LONGEST_BYTES - 5) + ".jpeg",
    "x" * 9000 + ".jpeg": "x" * (LONGEST_BYTES - 5) + ".jpeg",
    "x" * 300: "x" * LONGEST_BYTES,
    "会" * 100 + ".docx": "会" * 83 + ".docx",
    "👨\u200d👩\u200d👧" * 20 + ".png": "👨\u200d👩\u200d👧" * 13 + ".png",
    "x." + "y" * 300: ("x." + "y" * 300)[:LONGEST_BYTES],
}

AS_THEY_ARE = [
    "report.pdf",
    "Überblick ✓.txt",
    ".gitignore",
    ".env.example",
    "CON",
    "nul.txt",
    "What is this?.pdf",
    'say "hi" <now>; 50% *off* | a:b.txt',
    "%00.txt",
    "it's (1) [final] {v2} #3 & more+plus=~$@!,.pdf",
    "تقرير المبيعات.pdf",
    "می\u200cخواهم.docx",
    "קובץ חשוב.xlsx",
    "क्\u200dष.txt",
    "会议\u3000记录.pdf",
    "会議の記録（最終）.pptx",
    "회의록.hwp",
    "รายงาน.pdf",
    "👨\u200d👩\u200d👧 family.png",
    "🏴\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f.png",
    "\U0001fadf an emoji of 2024.png",
    "Screenshot 2026-11-28 at 9.41.00\u202fAM.png",
    "Straße nach Zürich.tar.gz",
    "a.b.c.d",
    "no ending",
]


@pytest.mark.parametrize("name", NAMES)
def test_misleading_characters_are_removed_from_a_name(name: str) -> None:
    """B02."""
    assert clean_file_name(name) == NAMES[name]


@pytest.mark.parametrize("name", AS_THEY_ARE)
def test_names_in_every_script_stay_as_they_were_written(name: str) -> None:
    assert clean_file_name(name) == name


def test_a_picture_ends_as_it_is() -> None:
    assert clean_file_name("cat.JPG", ".jpg") == "cat.JPG"
    assert clean_file_name("cat.jpeg", ".jpg") == "cat.jpeg"
    assert clean_file_name("cat.html", ".png") == "cat.html.png"
    assert clean_file_name("", ".webp") == "picture.webp"
    assert clean_file_name("thumbnail", ".gif") == "thumbnail.gif"
    assert clean_file_name("x" * 300, ".png") == "x" * (LONGEST_BYTES - 4) + ".png"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ('say "hi": <a|b>?*.txt', "say _hi__ _a_b___.txt"),
        ("nul.txt", "_nul.txt"),
        ("COM1", "_COM1"),
        ("con .a", "_con .a"),
    ],
)
def test_a_download_has_a_name_that_windows_can_store(name: str, expected: str) -> None:
    assert storable_name(name) == expected
    assert storable_name("console.log") == "console.log"


@example("e\u0301\u200bx\u200c" * 99)
@given(st.text())
def test_whatever_it_is_it_is_a_name(name: str) -> None:
    cleaned = clean_file_name(name)
    assert 0 < len(cleaned.encode()) <= LONGEST_BYTES
    assert "/" not in cleaned
    assert "\\" not in cleaned
    assert cleaned == cleaned.strip() == cleaned.rstrip(".")
    assert clean_file_name(cleaned) == cleaned
