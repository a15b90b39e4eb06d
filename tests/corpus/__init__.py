"""Texts and names that people really write. The files are data; each line says in its section what must be true."""

from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).parent


def read_sections(file: str) -> Iterator[tuple[str, list[str]]]:
    """Yield each section of a file of names: its heading, and its entries, which semicolons separate."""
    heading, entries = "", []
    for line in (HERE / file).read_text(encoding="utf-8").split("\n"):
        if line.startswith("["):
            if entries:
                yield heading, entries
            heading, entries = line.strip("[]"), []
        elif line and not line.startswith("#"):
            entries += [entry.removeprefix(" ") for entry in line.split(";")]
    yield heading, entries
