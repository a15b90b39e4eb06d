"""The steps of the Dockerfile, and the files that `.dockerignore` lets through."""

import json
import re
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath


@dataclass
class Step:
    """One instruction: `RUN` and its text without line breaks."""

    word: str
    text: str

    @property
    def words(self) -> list[str]:
        """The words of the text; a text in JSON is a list of words already."""
        return json.loads(self.text) if self.text.startswith("[") else self.text.split()

    @property
    def pairs(self) -> dict[str, str]:
        """The names and values of an `ENV` or a `LABEL`."""
        return {name: bare or quoted for name, quoted, bare in re.findall(r'(\S+?)=(?:"([^"]*)"|(\S+))', self.text)}


@dataclass
class Stage:
    """A `FROM` and the steps below it. `base` is another stage or an image."""

    name: str
    base: str
    steps: list[Step] = field(default_factory=list)

    def find(self, word: str) -> list[Step]:
        """The steps with this word."""
        return [step for step in self.steps if step.word == word]


def parse(text: str) -> dict[str, Stage]:
    """The stages by name, in their order."""
    text = re.sub(r"^\s*#.*\n", "", text, flags=re.MULTILINE)
    stages: dict[str, Stage] = {}
    for line in re.sub(r"\\\n\s*", "", text).splitlines():
        word, _, rest = line.strip().partition(" ")
        if word == "FROM":
            base, _, name = rest.partition(" AS ")
            stages[name] = stage = Stage(name, base)
        elif word:
            stage.steps.append(Step(word, rest.strip()))
    return stages


def chain(stages: dict[str, Stage], name: str) -> list[Stage]:
    """The stage and the stages that it builds on, the lowest first."""
    stage = stages[name]
    return [*(chain(stages, stage.base) if stage.base in stages else []), stage]


def is_sent(path: str, patterns: list[str]) -> bool:
    """Whether a file gets into the context of a build: the last pattern that matches it, or a folder of it, decides."""
    places = [PurePosixPath(path), *PurePosixPath(path).parents][:-1]
    is_in = True
    for pattern in patterns:
        plain = pattern.removeprefix("!")
        if any(
            fnmatch(place.name if plain.startswith("**/") else str(place), plain.removeprefix("**/"))
            for place in places
        ):
            is_in = pattern.startswith("!")
    return is_in


def read_patterns(root: Path) -> list[str]:
    """The patterns of `.dockerignore`."""
    lines = (root / ".dockerignore").read_text().splitlines()
    return [line for line in lines if line and not line.startswith("#")]
