"""The processes of a mongod, and a Python whose processes are not bound to their parents by the kernel."""

import sys
from pathlib import Path

_PYTHON = f"""#!{sys.executable}
import ctypes, runpy, sys

ctypes.CDLL = lambda *_: None
sys.executable = sys.argv[0]  # the processes that this process starts are of the same kind
sys.argv = [word for word in sys.argv[1:] if word not in ("-I", "-S")]
if sys.argv[0] == "-m":
    sys.path.insert(0, "")
    sys.argv.pop(0)
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
else:
    sys.path.insert(0, ".")
    runpy.run_path(sys.argv[0], run_name="__main__")
"""


def make_python_without_prctl(folder: Path) -> str:
    """Write a Python whose C library has no `prctl`, as on macOS, and return its path."""
    path = folder / "python"
    path.write_text(_PYTHON)
    path.chmod(0o755)
    return str(path)


def mongods(folder: Path) -> list[int]:
    """The processes of mongod on this folder, leaving out its guardian."""
    wanted = f"\0--dbpath\0{folder / 'mongo'}\0".encode()
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = path.read_bytes()
        except OSError:
            continue
        if wanted in command and b"guardian.py" not in command:
            found.append(int(path.parent.name))
    return found


def parent_of(pid: int) -> int:
    """The parent of a process."""
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
