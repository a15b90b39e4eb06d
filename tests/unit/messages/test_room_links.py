from collections.abc import Collection

import pytest

from chatroom.messages.room_links import MOST_LINKS, RoomNames, may_name_rooms
from chatroom.rooms.access import LOBBY
from tests.people import ALICE, BOB, access


class Readable:
    """The rooms that Alice can open, and what was asked."""

    def __init__(self, *slugs: str) -> None:
        self.slugs = slugs
        self.asked: list[list[str]] = []

    def __call__(self, user_id: str, slugs: Collection[str]) -> Collection[str]:
        self.asked.append(list(slugs))
        return [slug for slug in self.slugs if slug in slugs] if user_id == ALICE.id else []


@pytest.mark.parametrize("text", ["hello", "# Heading", "C# and F#", "a #", "#!"])
def test_a_text_without_a_name_makes_no_query(text: str) -> None:
    readable = Readable("heading")
    assert not may_name_rooms(text)
    assert RoomNames(readable).find(access(ALICE, LOBBY), text) == ()
    assert readable.asked == []


def test_rooms_that_the_author_can_open_in_the_order_of_the_text() -> None:
    readable = Readable("garden", "book-club", "2024", "会議室", "code")
    text = "#Book-Club, #garden and #nothing, (#2024) #garden #会議室で `#code` https://x.example/#code"
    names = ("book-club", "garden", "2024", "会議室")
    assert RoomNames(readable).find(access(ALICE, LOBBY), text) == names
    assert "code" not in readable.asked[0]
    assert RoomNames(readable).find(access(BOB, LOBBY), text) == ()


def test_the_first_twenty_alone_are() -> None:
    slugs = [f"r{n}" for n in range(MOST_LINKS + 5)]
    found = RoomNames(Readable(*slugs)).find(access(ALICE, LOBBY), " ".join(f"#{slug}" for slug in slugs))
    assert found == tuple(slugs[:MOST_LINKS])


@pytest.mark.parametrize(
    "text", ["a#garden", "&#garden", "##garden", "/#garden", "x-#garden", "\\#garden", "[#garden](https://x.example)"]
)
def test_other_signs_name_no_room(text: str) -> None:
    assert RoomNames(Readable("garden")).find(access(ALICE, LOBBY), text) == ()
