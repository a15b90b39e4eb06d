"""The names of files: shown as they were written, without parts that could mislead users or point outside a folder.

A name is only shown. The server finds and opens no file by its name.
"""

import unicodedata
from typing import NewType

import regex

LONGEST_BYTES = 255
"""The longest name in UTF-8 that file systems store."""
LONGEST_READ = 4000
LONGEST_ENDING = 16
NAMELESS = "file"

FileName = NewType("FileName", str)

_kept = regex.compile(
    r"[^\p{C}\p{Zl}\p{Zp}]|\p{ExtPict}"  # no controls, and no marks that show `gpj.exe` as `exe.jpg`
    r"|(?<=[\p{ExtPict}\p{EMod}\uFE0F])\u200D(?=\p{ExtPict})"  # a family is one emoji
    r"|(?<=[\p{L}\p{M}])(?<![\p{Latin}\p{Inherited}])[\u200C\u200D](?=[\p{L}\p{M}])"  # Persian and Hindi need joiners
    r"|(?<=\U0001F3F4)[\U000E0020-\U000E007E]+\U000E007F"  # the flag of Scotland
)
_breaks = str.maketrans(dict.fromkeys("\t\n\v\f\r", " "))
_spaces = regex.compile(r"\s{2,}")  # many spaces could hide the ending
_cluster = regex.compile(r"\X")
_forbidden = str.maketrans(dict.fromkeys('<>:"|?*', "_"))  # forbidden on some systems
_heif = (".heic", ".heif", ".hif")
_endings = {
    ".jpg": (".jpg", ".jpeg", ".jpe", ".jfif"),
    ".png": (".png", ".apng"),
    ".heic": _heif,
    ".heif": _heif,
}
_devices = {"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(1, 10))}  # in Windows


def clean_file_name(name: str, picture_ending: str | None = None) -> FileName:
    """Clean the name of a file. Add `picture_ending` (for a picture) unless the name has an extension of that type."""
    name = name[-LONGEST_READ:].replace("\\", "/").rpartition("/")[2]
    name = "".join(_kept.findall(unicodedata.normalize("NFC", name.translate(_breaks))))
    name = unicodedata.normalize("NFC", name)
    name = _spaces.sub(" ", name).strip().rstrip(" .")
    if picture_ending and not name.lower().endswith(_endings.get(picture_ending, (picture_ending,))):
        name = f"{name or 'picture'}{picture_ending}"
    return FileName(_shortened(name) or NAMELESS)


def storable_name(name: str) -> str:
    """Return a name that every system can store: for downloads."""
    name = name.translate(_forbidden)
    return f"_{name}" if name.partition(".")[0].strip().lower() in _devices else name


def _shortened(name: str) -> str:
    if _bytes_of(name) <= LONGEST_BYTES:
        return name
    stem, dot, ending = name.rpartition(".")
    if not stem or len(ending) >= LONGEST_ENDING:
        stem, dot, ending = name, "", ""
    return f"{_cut(stem, LONGEST_BYTES - _bytes_of(dot + ending))}{dot}{ending}"


def _cut(text: str, most_bytes: int) -> str:
    """Return the start of a text, without half characters."""
    end = size = 0
    for cluster in _cluster.finditer(text):
        size += _bytes_of(cluster[0])
        if size > most_bytes:
            break
        end = cluster.end()
    return text[:end].rstrip(" .")


def _bytes_of(text: str) -> int:
    return len(text.encode())
