"""The releases of mongod, and the versions of data files that each release can open.

MongoDB upgrades data files by one major version at a time, and never downgrades them.
"""

import logging
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path

from chatroom.mongo.embedded.mongod import EmbeddedError

Release = tuple[int, int, int]

_ANSWER_SECONDS = 10.0
_UNKNOWN = (0, 0, 0)

log = logging.getLogger(__name__)


def candidates(binaries: Sequence[Path], files: str, *, is_new: bool) -> list[Path]:
    """Return the binaries to try, in order. A binary is tried only if the previous binary cannot read the data files.

    If the version of existing files is not recorded, return all binaries in their given order.
    """
    return [choose(binaries, files)] if files or is_new else list(binaries)


def choose(binaries: Sequence[Path], files: str) -> Path:
    """Return the newest mongod that can open the data files; `files` is their version, such as "6.0", or empty."""
    if len(binaries) == 1 and not files:
        return binaries[0]
    newest_first = sorted(((release_of(binary), binary) for binary in binaries), key=lambda each: each[0], reverse=True)
    obstacles: list[str] = []
    for release, binary in newest_first:
        obstacle = _obstacle(binary, release, files)
        if not obstacle and (release != _UNKNOWN or not obstacles):
            if obstacles:
                log.warning("%s Until then %s is used.", obstacles[0], binary)
            return binary
        obstacles.append(obstacle or f"{binary} does not print its version.")
    raise EmbeddedError(obstacles[0])


def release_of(binary: Path) -> Release:
    """Return the release of a mongod, or zeros if mongod does not print its release."""
    command = [str(binary), "--version"]
    try:
        answer = subprocess.run(command, capture_output=True, timeout=_ANSWER_SECONDS, check=False).stdout
    except (OSError, subprocess.TimeoutExpired):
        return _UNKNOWN
    found = re.search(rb"db version v(\d+)\.(\d+)\.(\d+)", answer)
    return (int(found[1]), int(found[2]), int(found[3])) if found else _UNKNOWN


def _obstacle(binary: Path, release: Release, files: str) -> str:
    """Return why a mongod cannot open the data files, and a remedy; return "" if no reason is known."""
    if not files or release == _UNKNOWN:
        return ""
    major, minor = map(int, files.split("."))
    what = f"The data files belong to MongoDB {files}, but {binary} is {release[0]}.{release[1]}.{release[2]}"
    if release[:2] < (major, minor):
        return f"{what}, which cannot read them: put a mongod of {files} on the PATH."
    if release[0] > major + 1 or (release[0] == major + 1 and release[1] > 0):
        return f"{what}: a version in between is missing. Start once with a mongod of {major + 1}.0 on the PATH."
    return ""
