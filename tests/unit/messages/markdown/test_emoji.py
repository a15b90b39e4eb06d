import json

import pytest

from chatroom.messages.markdown.emoji import DATA, find_emoji, replace_shortcodes

ROWS = json.loads(DATA.read_text(encoding="utf-8"))["emoji"]


@pytest.mark.parametrize(
    ("text", "emoji"),
    [
        ("🎉", "🎉"),
        ("tada", "🎉"),
        ("+1", "👍"),
        ("❤", "❤️"),
        ("❤️", "❤️"),
        ("👍🏽", "👍🏽"),
        ("🇩🇪", "🇩🇪"),
        ("👩‍💻", "👩‍💻"),
        ("👩🏾‍💻", "👩🏾‍💻"),
        ("🏴󠁧󠁢󠁳󠁣󠁴󠁿", "🏴󠁧󠁢󠁳󠁣󠁴󠁿"),
    ],
)
def test_an_emoji_is_found_in_its_one_form(text: str, emoji: str) -> None:
    assert find_emoji(text) == emoji


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        "1",
        "<b>",
        "🎉🎉",
        "🎉 ",
        "🎉🏽",
        "👍🏽🏽",
        "🏽",
        "🇩",
        "tada:",
        "nothing",
        "\ufe0f",
        "👍" * 50,
        "$where",
        "a" * 1000,
    ],
    ids=ascii,
)
def test_nothing_else_is_one(text: str) -> None:
    assert find_emoji(text) is None


def test_every_emoji_of_the_data_is_found_as_itself_and_by_each_of_its_names() -> None:
    for character, _, codes, label, _, _ in ROWS:
        assert find_emoji(character) == character
        assert label
        assert [replace_shortcodes(f":{code}:") for code in codes.split()] == [character] * len(codes.split())


def test_the_data_is_small_enough_to_be_loaded_when_a_picker_opens() -> None:
    assert len(ROWS) > 1900
    assert DATA.stat().st_size < 160_000
