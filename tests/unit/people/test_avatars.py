import io

import pytest
from PIL import Image

from chatroom.base.errors import Refused
from chatroom.files.child import DrawingProcesses
from chatroom.files.pictures import make_workers
from chatroom.mongo.database import Database
from chatroom.people import avatars as module
from chatroom.people.avatars import Avatars
from chatroom.people.avatars_store import AvatarStore
from tests.busy import all_taken
from tests.conftest import Clock
from tests.corpus.pictures import make
from tests.people import ALICE, BOB
from tests.pictures import SECRET, make_bomb, make_picture


@pytest.fixture
def avatars(database: Database, clock: Clock) -> Avatars:
    return Avatars(AvatarStore(database, clock=clock), make_workers(), DrawingProcesses(), clock=clock.seconds)


def choose(avatars: Avatars, content: bytes, user_id: str = ALICE.id) -> str:
    avatars.set(user_id, io.BytesIO(content))
    return dict(avatars.listed())[user_id]


def test_the_middle_of_a_picture_in_two_sizes(avatars: Avatars) -> None:
    version = choose(avatars, make_picture("JPEG", (600, 200), turned=6))
    for is_large, side in ((False, 80), (True, 256)):
        content = avatars.find(ALICE.id, version, is_large=is_large)
        assert content
        assert SECRET not in content
        image = Image.open(io.BytesIO(content))
        assert (image.format, image.size) == ("WEBP", (side, side))


def test_a_picture_of_a_phone_in_heic(avatars: Avatars) -> None:
    version = choose(avatars, make("HEIF", size=(600, 200)))
    content = avatars.find(ALICE.id, version, is_large=True)
    assert content
    red, green, blue = Image.open(io.BytesIO(content)).convert("RGB").getpixel((128, 128))  # type: ignore[misc]
    assert abs(red - 200) + abs(green - 30) + abs(blue - 60) < 20
    with pytest.raises(Refused, match="Save it as a JPEG"):
        choose(avatars, make("HEIF")[:300])


def test_another_picture_has_another_version(avatars: Avatars) -> None:
    first = choose(avatars, make_picture("PNG"))
    second = choose(avatars, make_picture("PNG", (30, 30)))
    assert first != second
    assert avatars.find(ALICE.id, first) is None
    assert avatars.find(BOB.id, second) is None
    avatars.remove(ALICE.id)
    assert avatars.find(ALICE.id, second) is None
    assert avatars.listed() == ()


def test_the_latest_changes_are_listed(avatars: Avatars, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LISTED", 2)
    for name in "abc":
        clock.advance(seconds=1)
        choose(avatars, make_picture("PNG"), name)
    assert [user_id for user_id, _ in avatars.listed()] == ["b", "c"]


def test_avatars_of_others_are_known_within_seconds(database: Database, avatars: Avatars, clock: Clock) -> None:
    assert avatars.listed() == ()
    AvatarStore(database, clock=clock).put(BOB.id, "v", small=b"s", large=b"l")
    assert avatars.listed() == ()
    clock.advance(seconds=6)
    assert avatars.listed() == ((BOB.id, "v"),)


@pytest.mark.parametrize(
    ("content", "reason"), [(b"no picture", "invalid"), (make_picture("PNG")[:60], "invalid"), (b"", "invalid")]
)
def test_other_files_are_refused(avatars: Avatars, content: bytes, reason: str) -> None:
    with pytest.raises(Refused) as caught:
        choose(avatars, content)
    assert caught.value.reason == reason


def test_a_bomb_is_refused(avatars: Avatars) -> None:
    """B03."""
    with pytest.raises(Refused, match="too many pixels"):
        choose(avatars, make_bomb())


def test_pictures_are_processed_one_at_a_time(avatars: Avatars, monkeypatch: pytest.MonkeyPatch) -> None:
    with all_taken(avatars._drawing), pytest.raises(Refused) as caught:
        choose(avatars, make_picture())
    assert caught.value.reason == "busy"
