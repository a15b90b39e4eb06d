"""The bench's own environment: Python and Node packages. Imports only the standard library.

The product's environment stays unchanged; a variable keeps the path of its Python, to start the product.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

HERE = Path(__file__).resolve().parent
PYTHON = HERE / ".venv" / "bin" / "python"
NODE = HERE / "peers" / "node"
PRODUCT_PYTHON = "BENCH_PRODUCT_PYTHON"


def enter(module: str = "bench") -> None:
    """Restart a module in the bench's environment, created at the first use; return if it already runs there."""
    if Path(sys.prefix) == PYTHON.parent.parent:
        return
    product = HERE.parent / ".venv" / "bin" / "python"
    os.environ.setdefault(PRODUCT_PYTHON, str(product) if product.exists() else sys.executable)
    if not PYTHON.exists():
        print("creating bench/.venv ...", flush=True)
        venv.create(PYTHON.parent.parent, with_pip=True)
    _once(HERE / "requirements.txt", [str(PYTHON), "-m", "pip", "install", "-q", "--disable-pip-version-check", "-r"])
    if shutil.which("npm"):
        _once(
            NODE / "package-lock.json",
            ["npm", "ci", "--silent", "--ignore-scripts", "--prefix", str(NODE)],
            named=False,
        )
    else:
        print("npm is missing: the Node peers will fail", flush=True)
    os.execv(PYTHON, [str(PYTHON), "-m", module, *sys.argv[1:]])


def _once(wanted: Path, command: list[str], *, named: bool = True) -> None:
    """Run an installation only if its list has changed since the last time."""
    stamp = PYTHON.parent.parent / f"{wanted.name}.stamp"
    digest = hashlib.sha256(wanted.read_bytes()).hexdigest()
    if stamp.exists() and stamp.read_text() == digest:
        return
    print(f"installing {wanted.name} (once) ...", flush=True)
    subprocess.run([*command, str(wanted)] if named else command, check=True)
    stamp.write_text(digest)
