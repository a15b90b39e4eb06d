"""Files as phones, offices and programs write them: the name, the content, the expected type and card."""

import io
import struct
import zipfile
from typing import NamedTuple

OPEN_XML = "application/vnd.openxmlformats-officedocument"
OPEN_DOCUMENT = "application/vnd.oasis.opendocument"
BYTES = "application/octet-stream"
OLE = bytes.fromhex("d0cf11e0a1b11ae1") + bytes(504)


class Row(NamedTuple):
    """A file of the corpus. `kind` is `card`, `audio` or `video`; `picture` only if the picture can be decoded."""

    name: str
    content: bytes
    type: str
    kind: str = "card"


def box(name: bytes, *content: bytes) -> bytes:
    """A part of an MP4 file."""
    body = b"".join(content)
    return struct.pack(">I4s", 8 + len(body), name) + body


def ftyp(*brands: bytes) -> bytes:
    """The start of an MP4 file: its main brand, and those that it is compatible with."""
    return box(b"ftyp", brands[0], bytes(4), *brands)


def moov(*handlers: bytes) -> bytes:
    """The index of an MP4 file, with one track of each type (`vide`, `soun`)."""
    tracks = (box(b"trak", box(b"mdia", box(b"hdlr", bytes(8), handler, bytes(13)))) for handler in handlers)
    return box(b"moov", box(b"mvhd", bytes(100)), *tracks)


def late(*handlers: bytes) -> bytes:
    """An index after half a megabyte of samples, as phones write it."""
    return box(b"mdat", bytes(500_000)) + moov(*handlers)


def matroska(doctype: bytes, *codecs: bytes, gap: int = 0) -> bytes:
    """The start of a Matroska file, with one track of each codec."""
    head = b"\x1aE\xdf\xa3\x01\0\0\0\0\0\0\x1f\x42\x82" + bytes([0x80 | len(doctype)]) + doctype
    tracks = b"".join(b"\x86" + bytes([0x80 | len(codec)]) + codec for codec in codecs)
    return head + b"\x18\x53\x80\x67\xff\xec\x45\0" + bytes(gap) + b"\x16\x54\xae\x6b" + tracks


def ogg(packet: bytes) -> bytes:
    """The first page of an Ogg stream."""
    return b"OggS\0\2" + bytes(20) + b"\1" + bytes([len(packet)]) + packet


def archive(*names: str, mimetype: str = "", filler: int = 0) -> bytes:
    """A ZIP archive; with `mimetype` its first entry says what it is, and `filler` moves the other names to its end."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        if mimetype:
            file.writestr("mimetype", mimetype)
        if filler:
            file.writestr("media/film.bin", bytes(filler))
        for name in names:
            file.writestr(name, "<x/>")
    return out.getvalue()


def pdf(*, pages: int = 1, size: str = "595 842", catalog: str = "", trailer: str = "") -> bytes:
    """A PDF of black pages, without an index: readers repair this."""
    numbers = range(4, 4 + pages)
    kids = " ".join(f"{number} 0 R" for number in numbers)
    page = f"<</Type/Page/Parent 2 0 R/Contents 3 0 R/MediaBox[0 0 {size}]>>"
    objects = [
        f"1 0 obj<</Type/Catalog/Pages 2 0 R{catalog}>>endobj",
        f"2 0 obj<</Type/Pages/Count {pages}/Kids[{kids}]>>endobj",
        "3 0 obj<</Length 21>>stream\n0 0 99999 99999 re f \nendstream endobj",
        *(f"{number} 0 obj{page}endobj" for number in numbers),
        f"trailer<</Root 1 0 R{trailer}>>",
    ]
    return b"%PDF-1.7\n" + "\n".join(objects).encode() + b"\n%%EOF"


OFFICE = "[Content_Types].xml"
ICS = b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nEND:VCALENDAR\r\n"
VCARD = "BEGIN:VCARD\r\nFN:Zoë\r\nEND:VCARD\r\n".encode()
MAIL = b"Return-Path: <a@example.org>\r\nSubject: Hello\r\n\r\n<b>Hi</b>\r\n"

FILMS = [
    Row("IMG_1.mp4", ftyp(b"isom", b"iso2", b"avc1", b"mp41") + moov(b"vide", b"soun"), "video/mp4", "video"),
    Row("VID_2.mp4", ftyp(b"mp42", b"isom", b"mp42") + late(b"soun", b"vide"), "video/mp4", "video"),
    Row("nameless", ftyp(b"mp42", b"mp42") + bytes(8), "video/mp4", "video"),
    Row("fragments.mp4", ftyp(b"iso5", b"dash") + moov(b"vide") + box(b"moof"), "video/mp4", "video"),
    Row("camera.MP4", ftyp(b"XAVC", b"XAVC", b"mp42"), "video/mp4", "video"),
    Row("itunes.m4v", ftyp(b"M4V ", b"M4V ", b"mp42"), "video/mp4", "video"),
    Row("memo.m4a", bytes.fromhex("00000018667479706d7034320000000069736f6d6d703432"), "audio/mp4", "audio"),
    Row("memo.mp4", ftyp(b"mp42", b"isom", b"mp42") + late(b"soun"), "audio/mp4", "audio"),
    Row("Recording.m4a", ftyp(b"M4A ", b"M4A ", b"mp42"), "audio/mp4", "audio"),
    Row("with a cover.m4a", ftyp(b"M4A ", b"isom") + moov(b"soun", b"vide"), "audio/mp4", "audio"),
    Row("book.m4b", ftyp(b"M4B ", b"M4B ", b"isom"), "audio/mp4", "audio"),
    Row("IMG_0001.MOV", ftyp(b"qt  ", b"qt  ") + late(b"soun", b"vide", b"meta"), "video/quicktime", "video"),
    Row("old.mov", box(b"wide") + late(b"vide"), "video/quicktime", "video"),
    Row("2004.mov", box(b"mdat", bytes(9000)) + moov(b"vide"), "video/quicktime", "video"),
    Row("film.3gp", ftyp(b"3gp4", b"isom", b"3gp4") + moov(b"vide", b"soun"), "video/3gpp", "video"),
    Row("voice.3gp", ftyp(b"3gp4", b"isom", b"3gp4") + late(b"soun"), "audio/3gpp", "audio"),
    Row("film.3g2", ftyp(b"3g2a", b"3g2a") + moov(b"vide"), "video/3gpp2", "video"),
    Row("a.avif", bytes.fromhex("0000001c667479706176696600000000617669666d6966316d696166"), "image/avif"),
    Row("moving.avif", ftyp(b"avis", b"avif", b"msf1"), "image/avif"),
    Row("still.avif", ftyp(b"mif1", b"avif", b"miaf"), "image/avif"),
    Row("IMG_0002.HEIC", ftyp(b"heic", b"mif1", b"heic"), "image/heic"),
    Row("ten bits.heic", ftyp(b"heix", b"mif1"), "image/heic"),
    Row("S20.heic", ftyp(b"mif1", b"mif1", b"heic"), "image/heic"),
    Row("burst.heics", ftyp(b"msf1", b"hevc"), "image/heic"),
    Row("other.heif", ftyp(b"mif1", b"miaf"), "image/heif"),
    Row("raw.CR3", ftyp(b"crx ", b"isom") + moov(b"vide"), "image/x-canon-cr3"),
    Row("new brand.mp4", ftyp(b"zzzz") + moov(b"vide"), "video/mp4", "video"),
    Row("heic named as a film.mp4", ftyp(b"heic", b"mif1"), "image/heic"),
    Row("unknown brand", ftyp(b"zzzz"), BYTES),
    Row("truncated.mp4", b"\0\0\0\x18ftyp", BYTES),
]

SOUNDS = [
    Row("PTT-1.opus", ogg(b"OpusHead\1\1"), "audio/ogg", "audio"),
    Row("song.ogg", ogg(b"\x01vorbis"), "audio/ogg", "audio"),
    Row("flac.oga", ogg(b"\x7fFLAC\1"), "audio/ogg", "audio"),
    Row("film.ogv", ogg(b"\x80theora\3"), "video/ogg", "video"),
    Row("title says theora.ogg", ogg(b"OpusHead\1") + b"OpusTags title=theora", "audio/ogg", "audio"),
    Row("screen.webm", matroska(b"webm", b"V_VP9", b"A_OPUS"), "video/webm", "video"),
    Row("voice.webm", matroska(b"webm", b"A_OPUS"), "audio/webm", "audio"),
    Row("late tracks.webm", matroska(b"webm", b"A_OPUS", gap=20_000), "audio/webm", "audio"),
    Row("no tracks yet.webm", matroska(b"webm"), "video/webm", "video"),
    Row("film.mkv", matroska(b"matroska", b"V_MPEG4/ISO/AVC", b"A_AAC"), "video/x-matroska", "video"),
    Row("sound.mka", matroska(b"matroska", b"A_FLAC"), "audio/x-matroska", "audio"),
    Row("song.mp3", b"ID3\3\0" + bytes(50), "audio/mpeg", "audio"),
    Row("untagged.mp3", b"\xff\xfb\x90\x64" + bytes(50), "audio/mpeg", "audio"),
    Row("voice.mp3", b"\xff\xf3\x84\xc4" + bytes(50), "audio/mpeg", "audio"),
    Row("checked.mp3", b"\xff\xfa\x90\x64" + bytes(50), "audio/mpeg", "audio"),
    Row("radio.aac", b"\xff\xf1\x50\x80" + bytes(50), "audio/aac", "audio"),
    Row("old.aac", b"\xff\xf9\x50\x80" + bytes(50), "audio/aac", "audio"),
    Row("master.flac", b"fLaC\0\0\0\x22" + bytes(34), "audio/flac", "audio"),
    Row("sound.wav", b"RIFF\x24\0\0\0WAVEfmt ", "audio/wav", "audio"),
    Row("call.amr", b"#!AMR\n" + bytes(32), "audio/amr"),
    Row("tune.mid", b"MThd\0\0\0\6\0\1\0\2", "audio/midi"),
    Row("mac.aiff", b"FORM\0\0\0\x24AIFFCOMM", "audio/aiff"),
    Row("camera.avi", b"RIFF\x24\0\0\0AVI LIST", "video/x-msvideo"),
    Row("talk.wma", bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c"), "audio/x-ms-wma"),
    Row("talk.wmv", bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c"), "video/x-ms-wmv"),
    Row("dvd.mpg", b"\0\0\1\xba\x44" + bytes(30), "video/mpeg"),
]

OFFICES = [
    Row("report.docx", archive(OFFICE, "word/document.xml"), f"{OPEN_XML}.wordprocessingml.document"),
    Row("a.xlsx", archive(OFFICE, "xl/workbook.xml"), f"{OPEN_XML}.spreadsheetml.sheet"),
    Row("a.pptx", archive(OFFICE, "ppt/presentation.xml"), f"{OPEN_XML}.presentationml.presentation"),
    Row("types only.docx", archive(OFFICE), f"{OPEN_XML}.wordprocessingml.document"),
    Row("from elsewhere", archive("_rels/.rels", "xl/workbook.xml", OFFICE), f"{OPEN_XML}.spreadsheetml.sheet"),
    Row("film.pptx", archive("ppt/a.xml", OFFICE, filler=99_999), f"{OPEN_XML}.presentationml.presentation"),
    Row("lies.xlsx", archive(OFFICE, "word/document.xml"), f"{OPEN_XML}.wordprocessingml.document"),
    Row("letter.dotx", archive(OFFICE, "word/document.xml"), f"{OPEN_XML}.wordprocessingml.template"),
    Row(
        "macros.docm",
        archive(OFFICE, "word/document.xml", "word/vbaProject.bin"),
        "application/vnd.ms-word.document.macroEnabled.12",
    ),
    Row("macros.xlsm", archive(OFFICE, "xl/vbaProject.bin"), "application/vnd.ms-excel.sheet.macroEnabled.12"),
    Row("binary.xlsb", archive(OFFICE, "xl/workbook.bin"), "application/vnd.ms-excel.sheet.binary.macroEnabled.12"),
    Row("locked.docx", OLE, f"{OPEN_XML}.wordprocessingml.document"),
    Row("1999.doc", OLE, "application/msword"),
    Row("1999.xls", OLE, "application/vnd.ms-excel"),
    Row("1999.ppt", OLE, "application/vnd.ms-powerpoint"),
    Row("mail.msg", OLE, "application/vnd.ms-outlook"),
    Row("who knows", OLE, "application/x-ole-storage"),
    Row("text.odt", archive(mimetype=f"{OPEN_DOCUMENT}.text"), f"{OPEN_DOCUMENT}.text"),
    Row("sheet.ods", archive(mimetype=f"{OPEN_DOCUMENT}.spreadsheet"), f"{OPEN_DOCUMENT}.spreadsheet"),
    Row("slides.odp", archive(mimetype=f"{OPEN_DOCUMENT}.presentation"), f"{OPEN_DOCUMENT}.presentation"),
    Row("renamed.docx", archive(mimetype=f"{OPEN_DOCUMENT}.text"), f"{OPEN_DOCUMENT}.text"),
    Row("novel.epub", archive(mimetype="application/epub+zip"), "application/epub+zip"),
    Row("sly.zip", archive(mimetype="text/html"), "application/zip"),
    Row("letter.rtf", rb"{\rtf1\ansi Hello}", "application/rtf"),
    Row("letter.doc", rb"{\rtf1\ansi Hello}", "application/rtf"),
    Row("iphone.pages", archive("Index/Document.iwa"), "application/vnd.apple.pages"),
    Row("plan.pdf", b"%PDF-1.7\n%\xe2\xe3", "application/pdf"),
    Row("after a mark.pdf", b"\xef\xbb\xbf\r\n%PDF-1.4\n%\xe2\xe3\0", "application/pdf"),
    Row("plan.docx", b"%PDF-1.7\n%\xe2\xe3", "application/pdf"),
]

ARCHIVES = [
    Row("all.zip", archive("a.txt"), "application/zip"),
    Row("nothing.zip", archive(), "application/zip"),
    Row("a head.zip", b"PK\3\4\x14\0\0\0", "application/zip"),
    Row("app.apk", archive("AndroidManifest.xml", "classes.dex"), "application/vnd.android.package-archive"),
    Row("program.jar", archive("META-INF/MANIFEST.MF"), "application/java-archive"),
    Row("photo.jpg", archive("AndroidManifest.xml"), "application/zip"),
    Row("places.kmz", archive("doc.kml"), "application/vnd.google-earth.kmz"),
    Row("all.7z", b"7z\xbc\xaf\x27\x1c\0\4", "application/x-7z-compressed"),
    Row("src.tar.gz", b"\x1f\x8b\x08\0" + bytes(20), "application/gzip"),
    Row("src.tar", bytes(257) + b"ustar\x0000" + bytes(250), "application/x-tar"),
    Row("src.tar.xz", b"\xfd7zXZ\0", "application/x-xz"),
    Row("src.tar.bz2", b"BZh91AY&SY\xd8\x01\x00", "application/x-bzip2"),
    Row("src.tar.zst", b"\x28\xb5\x2f\xfd\0", "application/zstd"),
    Row("all.rar", b"Rar!\x1a\7\1\0", "application/vnd.rar"),
]

TEXTS = [
    Row("table.csv", b"a;b\r\n1;2\r\n", "text/csv"),
    Row("excel.csv", b"Stra\xdfe;M\xfcnchen\r\n", "text/csv"),
    Row("excel.txt", "\ufeffa\tb".encode("utf-16-le"), "text/plain"),
    Row("meeting.ics", ICS, "text/calendar"),
    Row("Zoë.vcf", VCARD, "text/vcard"),
    Row("data.json", b'{"a": 1}', "application/json"),
    Row("README.md", b"# Title\n", "text/markdown"),
    Row("mail.eml", MAIL, "message/rfc822"),
    Row("server.log", b"\x1b[31merror\x1b[0m\n", "text/plain"),
    Row("tool.py", b"#!/usr/bin/env python3\n", "text/plain"),
    Row("app.js", b"alert(1)\n", "text/plain"),
    Row("style.css", b"b { color: red }\n", "text/plain"),
    Row("words.pdf", b"not a PDF", "text/plain"),
    Row("grüße.txt", "grüße ✓".encode(), "text/plain"),
    Row("no ending", b"hello,\r\n\tworld", "text/plain"),
    Row("logo.svg", b'<svg xmlns="http://www.w3.org/2000/svg"/>', BYTES),
    Row("page.html", b"<!DOCTYPE html><p>Hi", BYTES),
    Row("page.csv", b"<html><script>alert(1)</script>", BYTES),
    Row("latin.txt", b"gr\xfc\xdfe", BYTES),
    Row("wide page.txt", "\ufeff<html><script>alert(1)</script>".encode("utf-16-le"), BYTES),
]

OTHERS = [
    Row("house.dwg", b"AC1032\0\0\0\0\0" + bytes(40), "image/vnd.dwg"),
    Row("layers.psd", b"8BPS\0\1" + bytes(20), "image/vnd.adobe.photoshop"),
    Row("scan.tiff", b"II*\0\x08\0\0\0", "image/tiff"),
    Row("font.woff2", b"wOF2\0\1\0\0", "font/woff2"),
    Row("data.db", b"SQLite format 3\0\x10\0", "application/vnd.sqlite3"),
    Row("setup.exe", b"MZ\x90\0\3", BYTES),
    Row("program", b"\x7fELF\2\1\1", BYTES),
    Row("old.swf", b"CWS\x0a" + bytes(20), BYTES),
    Row("known.pdf", b"\0\1unknown bytes\xff", BYTES),
    Row("known.mp3", b"\0\1unknown bytes\xff", BYTES),
    Row(".gitkeep", b"", BYTES),
    Row("empty.png", b"", BYTES),
]

FILES = [*FILMS, *SOUNDS, *OFFICES, *ARCHIVES, *TEXTS, *OTHERS]
