"""The code blocks of the pages for operators, by their heading and their place below it."""

import re
from textwrap import dedent
from typing import NamedTuple

from tests.documents import read

PAGES = ("docs/operating.md", "docs/bad-nights.md", "docs/containers.md", "docs/monitoring.md", "docs/systems.md")
MARK = re.compile(r"<!-- no test runs this block: (.+) -->")


class Block(NamedTuple):
    """A block, and the reason why no test runs it ("" if a test runs it)."""

    title: str
    number: int
    text: str
    reason: str


def find_blocks() -> list[Block]:
    """All blocks of the pages."""
    found: list[Block] = []
    title, inside, before = "", None, ""
    for line in _text().splitlines():
        if line.lstrip().startswith("```"):
            if inside is None:
                inside = []
            else:
                number = sum(block.title == title for block in found)
                mark = MARK.fullmatch(before)
                found.append(
                    Block(title, number, dedent("".join(f"{each}\n" for each in inside)), mark[1] if mark else "")
                )
                inside = None
        elif inside is not None:
            inside.append(line)
        else:
            title = line.lstrip("# ") if line.startswith("#") else title
            before = line
    return found


def block(title: str, number: int = 0) -> str:
    """The text of a block. A test that calls this runs the block."""
    [text] = [each.text for each in find_blocks() if (each.title, each.number) == (title, number)]
    return text


def command(start: str) -> str:
    """The command within the text that starts with these words."""
    [found] = set(re.findall(rf"`({re.escape(start)}[^`\n]*)`", _text()))
    return found


def _text() -> str:
    return "".join(map(read, PAGES))
