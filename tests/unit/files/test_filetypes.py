import pytest

from chatroom.files.filetypes import HEAD_BYTES, INLINE, TEXT, UNKNOWN, find_type
from tests.pictures import make_moving, make_picture

MP4 = b"\0\0\0\x20ftypisom\0\0\2\0isomiso2avc1mp41"

KNOWN = {
    make_picture("JPEG"): "image/jpeg",
    make_picture("PNG"): "image/png",
    make_picture("WEBP"): "image/webp",
    make_moving("GIF"): "image/gif",
    MP4: "video/mp4",
    b"\0\0\0\x20ftypM4A \0\0\2\0": "audio/mp4",
    b"\0\0\0\x14ftypqt  \0\0\0\0qt  ": "video/quicktime",
    b"ID3\x03\0" + bytes(50): "audio/mpeg",
    b"fLaC\0\0\0\x22": "audio/flac",
    b"RIFF\x24\0\0\0WAVEfmt ": "audio/wav",
    b"OggS\0\2" + bytes(20) + b"\x01\x1eOpusHead": "audio/ogg",
    b"OggS\0\2" + bytes(20) + b"\x80theora": "video/ogg",
    b"\x1aE\xdf\xa3\x01\0\0\0\0\0\0\x1fB\x86\x81\x01webm": "video/webm",
    b"%PDF-1.7\n%\xe2\xe3": "application/pdf",
    b"PK\3\4\x14\0\0\0": "application/zip",
    b"7z\xbc\xaf\x27\x1c\0\4": "application/x-7z-compressed",
    b"hello,\r\n\tworld": TEXT,
    "grüße ✓".encode(): TEXT,
    b"MZ\x90\0\3": UNKNOWN,
    b"\x7fELF\2\1\1": UNKNOWN,
    b"bytes \0 of no kind": UNKNOWN,
    b"latin-1: gr\xfc\xdfe": UNKNOWN,
    b"": UNKNOWN,
}


@pytest.mark.parametrize("head", KNOWN)
def test_the_type_of_a_file_follows_from_its_first_bytes(head: bytes) -> None:
    assert find_type(head) == KNOWN[head]


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
    assert find_type(page) == UNKNOWN


def test_only_harmless_types_are_shown_inline() -> None:
    assert not {"text/html", "image/svg+xml", "application/xml", "application/pdf", UNKNOWN} & INLINE


def test_a_character_that_the_head_cuts_in_two_is_still_text() -> None:
    assert find_type(("x" * (HEAD_BYTES - 1) + "ü").encode()[:HEAD_BYTES]) == TEXT
    assert find_type(("x" * 10 + "ü").encode()[:-1]) == UNKNOWN
