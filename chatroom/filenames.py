"""The names of files as people see them: what they were, without what could mislead or leave the folder.

A name is for people alone: nothing is ever found, typed or opened by it.
"""

import unicodedata

from chatroom.filetypes import PICTURES

LONGEST = 120
LONGEST_ENDING = 16
NAMELESS = "file"

_INVISIBLE = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}  # controls, bidi marks, halves: what turns `gpj.exe` around
_FORBIDDEN = str.maketrans(dict.fromkeys('<>:"|?*', "_"))  # on somebody's system
_ENDINGS = {"image/jpeg": (".jpg", ".jpeg", ".jpe", ".jfif")}


def clean_name(name: str, type: str) -> str:
    """A file's name, cleaned; a picture ends as its type says."""
    name = unicodedata.normalize("NFC", name[:1000]).replace("\\", "/").rpartition("/")[2]
    name = "".join(character for character in name if unicodedata.category(character) not in _INVISIBLE)
    name = " ".join(name.translate(_FORBIDDEN).split()).strip(" .")
    if type in PICTURES and not name.lower().endswith(_ENDINGS.get(type, (PICTURES[type],))):
        name = f"{name or 'picture'}{PICTURES[type]}"
    return _shortened(name) or NAMELESS


def _shortened(name: str) -> str:
    if len(name) <= LONGEST:
        return name
    stem, dot, ending = name.rpartition(".")
    if not dot or len(ending) >= LONGEST_ENDING:
        return name[:LONGEST].rstrip(" .")
    return f"{stem[: LONGEST - len(ending) - 1].rstrip(' .')}.{ending}"
