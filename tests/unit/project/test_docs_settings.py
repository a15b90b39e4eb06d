"""Every setting is explained, with its default, where people look for it."""

import re
from pathlib import Path

import msgspec
import pytest
from dotenv import dotenv_values

from chatroom.base.config import Settings, load_settings

ROOT = Path(__file__).resolve().parents[3]
DEFAULTS = {
    field.name.upper(): f"{field.default:g}" if isinstance(field.default, float) else str(field.default)
    for field in msgspec.structs.fields(Settings)
}


@pytest.fixture(scope="module")
def example() -> str:
    return (ROOT / ".env.example").read_text(encoding="utf-8")


def test_the_example_has_every_setting_and_its_default(example: str) -> None:
    shown = {name: value.strip('"') for name, value in re.findall(r"^#([A-Z_]+)=(.*)$", example, re.MULTILINE)}
    assert shown == DEFAULTS


def test_the_example_has_a_sentence_for_each(example: str) -> None:
    for name in DEFAULTS:
        above = example.split(f"\n#{name}=", 1)[0].rsplit("\n\n", 1)[-1]
        assert re.match(r"# [A-Z`].*\.$", above.replace("\n# ", " ")), name


def test_the_example_changes_nothing_as_it_is(tmp_path: Path, example: str) -> None:
    """And with every comment mark taken away it says the defaults."""
    assert dotenv_values(ROOT / ".env.example") == {}
    uncommented = tmp_path / ".env"
    uncommented.write_text(re.sub(r"^#(?=[A-Z_]+=)", "", example, flags=re.MULTILINE), encoding="utf-8")
    values = {name: value or "" for name, value in dotenv_values(uncommented).items()}
    assert values == DEFAULTS
    assert load_settings(values) == Settings()


def test_the_docs_have_every_setting_and_its_default() -> None:
    table = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([A-Z_]+)` \| (?:`(.*?)`|empty) \| (.+?) \| (.+) \|$", table, re.MULTILINE)
    assert {name: default for name, default, _, _ in rows} == DEFAULTS
    assert all(text.endswith(".") for _, _, text, _ in rows)


def test_documented_ranges_match_the_accepted_ones(example: str) -> None:
    lines = re.findall(r"^# Allowed: (.+)\.\n#([A-Z_]+)=", example, re.MULTILINE)
    said = {name: allowed for allowed, name in lines}
    table = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    in_table = dict(re.findall(r"^\| `([A-Z_]+)` \|.* \| ([^|]+) \|$", table, re.MULTILINE))
    fields = msgspec.inspect.type_info(Settings).fields
    numbers = {field.name.upper(): field.type for field in fields if isinstance(field.type, msgspec.inspect.IntType)}
    assert numbers
    for name, number in numbers.items():
        bounds = f", {number.ge} or more" if number.le is None else f" from {number.ge} to {number.le}"
        assert said[name] == in_table[name] == f"a whole number{bounds}", name
