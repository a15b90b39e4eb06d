"""The names of files, without parts that could mislead users or point outside a folder.

A name is only shown. It does not decide the type, and no file is found or opened by its name.
"""

import unicodedata
from typing import NewType

LONGEST = 120
LONGEST_ENDING = 16
NAMELESS = "file"

FileName = NewType("FileName", str)

_INVISIBLE = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}  # controls, surrogates, marks that show `gpj.exe` as `exe.jpg`
_FORBIDDEN = str.maketrans(dict.fromkeys('<>:"|?*', "_"))  # forbidden on some systems
_ENDINGS = {".jpg": (".jpg", ".jpeg", ".jpe", ".jfif")}
_DEVICES = {"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(1, 10))}  # in Windows


def clean_file_name(name: str, picture_ending: str | None = None) -> FileName:
    """Clean the name of a file. Add `picture_ending` (for a picture) unless the name has an extension of that type."""
    name = unicodedata.normalize("NFC", name[:1000]).replace("\\", "/").rpartition("/")[2]
    name = "".join(character for character in name if unicodedata.category(character) not in _INVISIBLE)
    name = " ".join(name.translate(_FORBIDDEN).split()).strip(" .")
    if name.partition(".")[0].strip().lower() in _DEVICES:
        name = f"_{name}"
    if picture_ending and not name.lower().endswith(_ENDINGS.get(picture_ending, (picture_ending,))):
        name = f"{name or 'picture'}{picture_ending}"
    return FileName(_shortened(name) or NAMELESS)


def _shortened(name: str) -> str:
    if len(name) <= LONGEST:
        return name
    stem, dot, ending = name.rpartition(".")
    if not dot or len(ending) >= LONGEST_ENDING:
        return name[:LONGEST].rstrip(" .")
    return f"{stem[: LONGEST - len(ending) - 1].rstrip(' .')}.{ending}"
