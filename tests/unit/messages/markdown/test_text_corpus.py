"""Texts that people really post are shown as they were written; see the README of tests/corpus/text."""

from html.parser import HTMLParser
from typing import Any

import pytest

from chatroom.messages.markdown.rendering import render
from tests.corpus import read_texts

TEXTS = list(read_texts())


class Shown(HTMLParser):
    """What a reader sees of a message: its text, the targets of its links, and its kinds of markup."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.text = ""
        self.links: list[str | None] = []
        self.tags: set[str] = set()
        self._is_formula = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        if tag == "a":
            self.links.append(dict(attrs).get("href"))
        elif tag not in {"p", "br", "span"} and not self._is_formula:
            self.tags.add(tag)
        self._is_formula = self._is_formula or tag == "math"

    def handle_endtag(self, tag: str) -> None:
        self._is_formula = self._is_formula and tag != "math"

    def handle_data(self, data: str) -> None:
        if not self._is_formula:  # then the source follows
            self.text += data


@pytest.mark.parametrize("text", TEXTS, ids=lambda each: each.name)
def test_a_text_is_shown_as_it_was_meant(text: Any) -> None:
    shown = Shown(render(text.text))
    assert shown.text.strip() == text.shown.strip()
    assert shown.links == text.links
    assert shown.tags == text.tags


def test_the_corpus_has_ten_kinds_and_400_lines() -> None:
    assert len({text.kind for text in TEXTS}) >= 10
    assert len({text.text for text in TEXTS}) >= 400
