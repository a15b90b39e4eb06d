"""Texts and names that people really write. The files are data; each line says in its section what must be true."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
ESCAPE = re.compile(r"\\u([0-9a-f]{4})|\\n")
MARKS = re.compile(r"(?:link:(.*?))?(?:(?:^| )=(.*?))?(?:(?:^| )\+([a-z0-9,]+))?")


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


@dataclass
class Text:
    """One message of the corpus, and what must be shown."""

    kind: str
    text: str
    shown: str
    links: list[str]
    tags: set[str]

    @property
    def name(self) -> str:
        """The name of the test for this message."""
        return f"{self.kind}-{self.text}"


def read_texts() -> Iterator[Text]:
    """Yield the messages of tests/corpus/text, whose README explains the marks."""
    for file in sorted((HERE / "text").glob("*.txt")):
        for line in filter(None, file.read_text(encoding="utf-8").split("\n")):
            text, _, marks = line.partition("\t")
            found = MARKS.fullmatch(marks)
            if not found:
                raise ValueError(f"{file.name}: cannot read the marks of {line!r}")
            links, shown, tags = found.groups()
            yield Text(
                file.stem,
                text,
                text if shown is None else shown,
                (links or "").split(),
                set(filter(None, (tags or "").split(","))),
            )


@dataclass
class Lookup:
    """A message of the corpus, a query, and the marked parts of the message. None: the query does not find it."""

    text: str
    query: str
    marked: list[str] | None


def read_lookups(kind: str) -> Iterator[Lookup]:
    """Yield the lines of one file of tests/corpus/search, whose README explains them."""
    for line in filter(None, (HERE / "search" / f"{kind}.txt").read_text(encoding="utf-8").split("\n")):
        text, query, marked = (ESCAPE.sub(_unescaped, part) for part in line.split("\t"))
        yield Lookup(text, query, None if marked == "-" else marked.split(" | "))


def _unescaped(match: re.Match[str]) -> str:
    return chr(int(match[1], 16)) if match[1] else "\n"
