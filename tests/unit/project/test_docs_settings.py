"""Every setting is explained, with its default and its bounds, where people look for it."""

import re
from pathlib import Path

from dotenv import dotenv_values

from chatroom.base.config import Settings, load_settings
from tests.documents import read
from tools.make_settings import EXAMPLE, FIELDS, ROW, make_example, make_page

PAGE = read("docs/settings.md")


def test_the_page_has_a_sentence_for_every_setting() -> None:
    rows = dict(ROW.findall(PAGE))
    assert rows.keys() == FIELDS.keys()
    assert [name for name, text in rows.items() if not text.endswith(".")] == []


def test_defaults_and_bounds_are_those_of_the_code() -> None:
    assert make_page(PAGE) == PAGE, "run: python -m tools.make_settings"


def test_the_example_is_made_from_the_page() -> None:
    assert make_example(PAGE) == EXAMPLE.read_text(encoding="utf-8"), "run: python -m tools.make_settings"


def test_the_example_changes_nothing_as_it_is(tmp_path: Path) -> None:
    """And without the comment marks, it has all settings with their defaults."""
    assert dotenv_values(EXAMPLE) == {}
    uncommented = tmp_path / ".env"
    text = re.sub(r"^#(?=[A-Z_]+=)", "", EXAMPLE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    uncommented.write_text(text, encoding="utf-8")
    values = {name: value for name, value in dotenv_values(uncommented).items() if value is not None}
    assert values.keys() == FIELDS.keys()
    assert load_settings(values) == Settings()
