"""Check scripts, style sheets and rendered pages with eslint, stylelint and html-validate.

These npm packages are pinned in tools/lint, and only for development. If they cannot run, this prints the reason;
that is a failure only with CI in the environment.
"""

import json
import logging
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tools.rendered_pages import NotRendered, render

ROOT = Path(__file__).resolve().parents[1]
LINT = ROOT / "tools" / "lint"
OLDEST_NODE = (18, 19)
QUICKLY_OFFLINE = ["--fetch-retry-mintimeout=1000", "--fetch-retry-maxtimeout=5000"]
DEBIAN = "(Debian: apt-get install nodejs npm)"
Find = Callable[[str], str | None]


def main(find: Find = shutil.which) -> int:
    """Run all three, or print why they cannot run."""
    if problem := find_obstacle(find):
        return _say(f"Scripts, style sheets and pages were not checked: {problem}", failed=bool(os.environ.get("CI")))
    scripts = _run("eslint", "--config", LINT / "eslint.config.js", "static", "tests/js", "tools/lint")
    sheets = _run("stylelint", "--config", LINT / "stylelint.config.js", "static/css/*.css")
    return max(scripts, sheets, _check_pages())


def find_obstacle(find: Find = shutil.which) -> str:
    """Return why the tools cannot run here, or "" if they are installed."""
    for program in ("node", "npm"):
        if find(program) is None:
            return f"{program} is missing {DEBIAN}"
    said = _output("node", "--version")
    version = tuple(map(int, re.findall(r"\d+", said)[:2]))
    if version < OLDEST_NODE:
        return f"node {said} is too old, {'.'.join(map(str, OLDEST_NODE))} is needed {DEBIAN}"
    return "" if _is_installed() else _install()


def _is_installed() -> bool:
    """Whether npm has installed exactly these versions; it writes the file last."""
    written = LINT / "node_modules" / ".package-lock.json"
    pinned = [LINT / "package.json", LINT / "package-lock.json"]
    return written.exists() and all(written.stat().st_mtime >= path.stat().st_mtime for path in pinned)


def _install() -> str:
    """Install the pinned packages; return why this failed, or ""."""
    _say("installing what tools/lint/package-lock.json lists (once) ...")
    command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error", *QUICKLY_OFFLINE]
    answer = subprocess.run(command, cwd=LINT, capture_output=True, text=True, check=False)
    said = (answer.stderr.strip().splitlines() or ["no message"])[0]
    return f"npm cannot install what tools/lint pins ({said})" if answer.returncode else ""


def _check_pages() -> int:
    logging.getLogger().addHandler(logging.NullHandler())  # log lines of the rendering are not findings
    with tempfile.TemporaryDirectory(prefix="chatroom-pages-") as folder:
        try:
            names = render(Path(folder))
        except NotRendered as error:
            return _say(f"pages: {error}", failed=True)
        command = [
            _program("html-validate"),
            "--config",
            LINT / "htmlvalidate.config.js",
            "--formatter",
            "json",
            folder,
        ]
        answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        try:
            return report(json.loads(answer.stdout), names)
        except ValueError:
            return _say(f"html-validate did not run: {answer.stderr.strip()}", failed=True)


def report(files: list[dict[str, Any]], names: dict[str, str]) -> int:
    """Print each finding once, with the first page that has it, because many pages share templates."""
    pages = defaultdict(list)
    for file in files:
        for found in file["messages"]:
            where = f"{names[Path(file['filePath']).name]} {found['line']}:{found['column']}"
            pages[found["ruleId"], found["message"], found["selector"]].append(where)
    for (rule, message, selector), places in pages.items():
        others = f", and {len(places) - 1} more" if len(places) > 1 else ""
        _say(f"{places[0]}{others}\n    {message} [{rule}]\n    {selector}")
    return _say(f"html-validate: {len(pages)} findings on {len(names)} rendered pages", failed=bool(pages))


def _program(name: str) -> Path:
    return LINT / "node_modules" / ".bin" / name


def _run(name: str, *arguments: str | Path) -> int:
    code = subprocess.run([_program(name), *arguments], cwd=ROOT, check=False).returncode
    return _say(f"{name}: {'see above' if code else '0 findings'}", failed=bool(code))


def _output(*command: str | Path) -> str:
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False).stdout.strip()


def _say(text: str, *, failed: bool = False) -> int:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
