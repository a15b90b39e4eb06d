import io
import struct
from types import SimpleNamespace
from typing import Any

import pytest
from PIL import Image

from chatroom.base.access import Access
from chatroom.base.config import Settings
from chatroom.base.errors import Refused, Unavailable
from chatroom.base.models import Author, Draft, File, Message, Room
from chatroom.files.files_store import KeptFile
from chatroom.files.wiring import FileParts
from chatroom.messages.messages_store import MessageStore
from chatroom.mongo.context import Context
from chatroom.mongo.database import Database
from chatroom.rooms.access import LOBBY
from chatroom.site.leases_store import LeaseStore
from tests.busy import all_taken
from tests.conftest import Clock
from tests.corpus.files import pdf
from tests.corpus.pictures import make
from tests.databases import in_memory
from tests.messaging import Messaging, new_draft
from tests.people import ALICE, BOB, access
from tests.pictures import SECRET, make_bomb, make_moving, make_picture, make_turned

DEN = Room(id="den", slug="den", title="Den")


class Place:
    """Files and messages over one database."""

    def __init__(self, clock: Clock, **settings: Any) -> None:
        self.database: Database = in_memory()
        self.message_store = MessageStore(self.database, origin="here", clock=clock)
        self.settings = Settings(**settings)
        self.files = self.process("here", clock)
        self.store = self.files.store
        self.messages = Messaging(self.message_store, max_length=100, files=self.files.of_messages, clock=clock)

    def process(self, origin: str, clock: Clock) -> FileParts:
        context, leases = Context(self.settings, self.database, "", origin), LeaseStore(self.database, holder=origin)
        site: Any = SimpleNamespace(context=context, leases=leases)
        find_message = self.message_store.find_by_client_id
        return FileParts(site, find_message=find_message, find_held=lambda *_: None, clock=clock)

    def upload(self, content: bytes = b"some text", name: str = "a.txt", person: Author = ALICE) -> File:
        return self.files.uploads.take(person.id, LOBBY, name, io.BytesIO(content))

    def say(
        self, *files: File, text: str = "", client_id: str = "c1", person: Author = ALICE, room: Room = LOBBY
    ) -> Message:
        draft = new_draft(person, text, client_id)
        return self.messages.post(room, self.files.of_messages.attach(room, draft, [file.id for file in files])).message

    def delete(self, message: Message, person: Author = ALICE) -> Message:
        return self.messages.change(LOBBY, self.messages.changes.deleting(self.access(person), message.id))

    def access(self, person: Author) -> Access:
        return access(person, LOBBY)

    @property
    def count(self) -> int:
        return self.database["files.files"].count_documents({})


@pytest.fixture
def place(clock: Clock) -> Place:
    return Place(clock)


class TestUploads:
    def test_are_typed_by_content_and_keep_a_clean_name(self, place: Place) -> None:
        file = place.upload(b"%PDF-1.7\n", "../holiday.html")
        assert file == File(id=file.id, name="holiday.html", type="application/pdf", size=9)
        assert b"".join(place.files.store.read(file.id, 0, 9)) == b"%PDF-1.7\n"

    def test_of_pictures_are_measured_and_get_a_thumbnail(self, place: Place) -> None:
        file = place.upload(make_picture(turned=6), "holiday")
        assert (file.name, file.type, file.width, file.height) == ("holiday.jpg", "image/jpeg", 80, 120)
        assert sum(map(len, place.files.store.read(file.id, 0, file.size))) == file.size
        assert place.files.store.find_copy(file.id, "thumbnail")[8:12] == b"WEBP"

    @pytest.mark.parametrize("type", ["HEIF", "AVIF"])
    def test_of_phones_get_a_picture_that_every_browser_shows(self, place: Place, type: str) -> None:
        exif = Image.Exif()
        exif[0x010E] = SECRET.decode()
        content = make(type, exif=exif.tobytes())
        file = place.upload(content, f"IMG_0001.{type}")
        assert (file.width, file.height, file.has_view, file.size) == (60, 40, True, len(content))
        stored = b"".join(place.files.store.read(file.id, 0, file.size))
        assert SECRET in content
        assert SECRET not in stored
        assert Image.open(io.BytesIO(stored)).size == (60, 40)
        for copy in ("thumbnail", "view"):
            picture = place.files.store.find_copy(file.id, copy)  # type: ignore[arg-type]
            assert Image.open(io.BytesIO(picture)).size == (60, 40)
        assert place.files.store.get(file.id).file == file

    def test_of_pictures_get_the_ending_of_their_type(self, place: Place) -> None:
        """Some phones name a HEIC `.jpg`. Windows opens no such file."""
        for name, stored in {"IMG_1.jpg": "IMG_1.jpg.heic", "DSC1.HIF": "DSC1.HIF", "a.HEIC": "a.HEIC"}.items():
            assert place.upload(make("HEIF"), name).name == stored
        assert place.upload(make("AVIF"), "a.png").name == "a.png.avif"

    def test_that_cannot_be_drawn_are_files_without_a_picture(self, place: Place) -> None:
        """A HEIC of these few bytes has no picture, and a sequence of pictures has its first one."""
        for brand in (b"heic", b"avif", b"hevc", b"avis", b"msf1", b"mif1"):
            content = struct.pack(">I4s4s4x4s4s", 28, b"ftyp", brand, brand, b"mif1") + b"miaf"
            file = place.upload(content, "a.heic")
            assert (file.type.partition("/")[0], file.width, file.has_view) == ("image", None, False), brand
            assert b"".join(place.files.store.read(file.id, 0, file.size)) == content
        frames = [Image.new("RGB", (60, 40), colour) for colour in ("red", "blue")]
        out = io.BytesIO()
        frames[0].save(out, "AVIF", save_all=True, append_images=frames[1:])
        file = place.upload(out.getvalue(), "moving.avif")
        view = Image.open(io.BytesIO(place.files.store.find_copy(file.id, "view"))).convert("RGB")
        assert view.getpixel((5, 5))[0] > 240  # type: ignore[index]

    def test_an_empty_file_is_a_file_and_nothing_is_none(self, place: Place) -> None:
        empty = place.upload(b"", ".gitkeep")
        assert (empty.name, empty.size, empty.type) == (".gitkeep", 0, "application/octet-stream")
        assert b"".join(place.files.store.read(empty.id, 0, 0)) == b""
        assert place.say(empty).files == (empty,)
        with pytest.raises(Refused) as caught:
            place.upload(b"", "")
        assert caught.value.reason == "empty"

    @pytest.mark.parametrize(
        ("content", "name"), [(b"%PDF-1.7\n", "file.pdf"), (b"words", "file.txt"), (b"\0\1\2", "file")]
    )
    def test_without_a_name_get_the_ending_of_their_type(self, place: Place, content: bytes, name: str) -> None:
        assert place.upload(content, "").name == name
        assert place.upload(content, "..").name == name

    def test_that_are_too_large_or_bombs_are_refused(self, clock: Clock) -> None:
        place = Place(clock, max_file_bytes=200_000)
        for content, reason in ((b"x" * 200_001, "too_large"), (make_bomb(), "too_large")):
            with pytest.raises(Refused) as caught:
                place.upload(content)
            assert caught.value.reason == reason
        assert place.count == 0

    def test_wait_in_no_thread_for_pictures_that_are_being_drawn(self, place: Place) -> None:
        """L16."""
        with all_taken(place.files.drawing):
            with pytest.raises(Refused) as caught:
                place.upload(make_picture())
            assert place.upload(b"text").type == "text/plain"
        assert (caught.value.reason, caught.value.retry_after) == ("busy", 5.0)

    def test_videos_and_gifs_lose_their_metadata(self, place: Place) -> None:
        """B11."""
        film = b"\0\0\0\x18ftypmp42\0\0\0\0isommp42" + struct.pack(">I4s", 16 + len(SECRET), b"moov")
        film += struct.pack(">I4s", 8 + len(SECRET), b"udta") + SECRET
        gif = make_moving("GIF")[:-1] + b"\x21\xfe\x0b" + SECRET + b"\0;"
        for content, type in ((film, "video/mp4"), (gif, "image/gif")):
            file = place.upload(content)
            kept = b"".join(place.files.store.read(file.id, 0, file.size))
            assert file.type == type
            assert SECRET in content
            assert SECRET not in kept

    def test_are_refused_when_the_site_is_full(self, clock: Clock) -> None:
        place = Place(clock, max_total_file_bytes=25)
        first, _ = place.upload(b"x" * 10), place.upload(b"x" * 10)
        with pytest.raises(Refused, match="no space left") as caught:
            place.upload(b"x" * 10)
        assert caught.value.reason == "full"
        place.store.remove(first.id)
        assert place.upload(b"x" * 10).size == 10

    def test_two_processes_together_respect_the_total(self, clock: Clock) -> None:
        """B10: what another one has stored a moment ago counts."""
        here = Place(clock, max_total_file_bytes=25)
        there = here.process("there", clock)
        here.upload(b"x" * 10)
        there.uploads.take(BOB.id, LOBBY, "a.txt", io.BytesIO(b"x" * 10))
        with pytest.raises(Refused, match="no space left"):
            here.upload(b"x" * 10)

    def test_an_upload_in_progress_counts(self, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
        """B10: two at the same moment never both take the last of the space."""
        place = Place(clock, max_total_file_bytes=25)
        add_pieces = place.store._add_pieces
        answers: list[Any] = []

        def add_while_another_comes(*arguments: Any) -> None:
            monkeypatch.setattr(place.store, "_add_pieces", add_pieces)
            with pytest.raises(Refused) as caught:
                place.upload(b"x" * 15, person=BOB)
            answers.append(caught.value.reason)
            add_pieces(*arguments)

        monkeypatch.setattr(place.store, "_add_pieces", add_while_another_comes)
        place.upload(b"x" * 15)
        assert answers == ["full"]
        assert place.store.total_bytes() == 15

    def test_of_pictures_count_as_they_are_stored(self, clock: Clock) -> None:
        """B10: turned upright, this one grows."""
        content = make_turned()
        grown = Place(clock).upload(content).size
        assert grown > len(content)
        with pytest.raises(Refused, match="without its metadata") as caught:
            Place(clock, max_file_bytes=len(content)).upload(content)
        assert caught.value.reason == "too_large"
        with pytest.raises(Refused, match="no space left"):
            Place(clock, max_file_bytes=0, max_total_file_bytes=len(content)).upload(content)


class TestDocuments:
    SCRIPT = "/OpenAction<</S/JavaScript/JS(while(1);)>>"
    ENCRYPTED = (
        "/Encrypt<</Filter/Standard/V 2/R 3/Length 128/P -4/O(xxxxxxxxxxxxxxxx)/U(xxxxxxxxxxxxxxxx)>>/ID[(a)(a)]"
    )

    @pytest.mark.parametrize(
        ("content", "pages"),
        [
            (pdf(pages=3), 3),
            (pdf(pages=10_000), 10_000),
            (pdf(size="14400 14400"), 1),
            (pdf(size="14400 1"), 1),
            (pdf(catalog=SCRIPT), 1),
        ],
        ids=["three pages", "many pages", "200 inches", "a line", "with a script"],
    )
    def test_show_their_first_page(self, place: Place, content: bytes, pages: int) -> None:
        file = place.upload(content, "plan.pdf")
        assert (file.type, file.size, file.pages, file.width) == ("application/pdf", len(content), pages, None)
        assert place.files.store.get(file.id).file == file
        assert b"".join(place.files.store.read(file.id, 0, file.size)) == content
        picture = Image.open(io.BytesIO(place.files.store.find_copy(file.id, "thumbnail"))).convert("L")
        assert picture.width <= 640
        assert picture.height <= 480
        assert picture.getpixel((0, 0)) < 9  # type: ignore[operator]

    @pytest.mark.parametrize(
        "content",
        [pdf(pages=0), pdf(trailer=ENCRYPTED), pdf()[:80], b"%PDF-1.7\n" + bytes(3000)],
        ids=["no pages", "encrypted", "truncated", "damaged"],
    )
    def test_without_a_first_page_are_stored_without_a_picture(self, place: Place, content: bytes) -> None:
        file = place.upload(content, "plan.pdf")
        assert (file.type, file.size, file.pages) == ("application/pdf", len(content), None)
        assert place.files.store.find_copy(file.id, "thumbnail") == b""


class TestUnposted:
    """B10: what no message has is bounded for each person."""

    @pytest.fixture
    def place(self, clock: Clock) -> Place:
        """Two messages of one file of thirty bytes may be in preparation."""
        return Place(clock, max_file_bytes=30, max_files_per_message=1)

    def fill(self, place: Place) -> list[File]:
        return [place.upload(b"x" * 30) for _ in range(2)]

    def is_full(self, place: Place) -> bool:
        try:
            place.upload(b"x")
        except Refused as refusal:
            return refusal.reason == "full" and "at most 60 bytes" in refusal.message
        return False

    def test_only_a_user_with_too_many_unposted_files_is_refused(self, place: Place) -> None:
        self.fill(place)
        assert self.is_full(place)
        assert place.count == 2
        assert place.upload(b"x" * 30, person=BOB).size == 30

    def test_posted_files_no_longer_count(self, place: Place) -> None:
        first, _ = self.fill(place)
        place.say(first)
        assert not self.is_full(place)

    def test_posted_files_are_checked_once_and_do_not_limit_the_user(
        self, place: Place, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        looked: list[str] = []
        is_used = place.files.usage.is_used

        def note(kept: KeptFile) -> bool:
            if is_used(kept):
                looked.append(kept.file.id)
                return True
            return False

        monkeypatch.setattr(place.files.usage, "is_used", note)
        posted = [place.say(place.upload(b"x" * 30), client_id=f"c{number}").files[0].id for number in range(20)]
        assert set(looked) <= set(posted)
        assert len(looked) == len(set(looked)) >= 18

    def test_a_claim_without_a_message_changes_nothing(self, place: Place) -> None:
        for number, file in enumerate(self.fill(place)):
            place.files.of_messages.attach(LOBBY, Draft(author=ALICE, text="", client_id=f"lost{number}"), [file.id])
        assert self.is_full(place)

    def test_deleted_files_no_longer_count(self, place: Place) -> None:
        for number, file in enumerate(self.fill(place)):
            place.delete(place.say(file, client_id=f"c{number}"))
        assert not self.is_full(place)

    def test_the_sweep_makes_room(self, place: Place, clock: Clock) -> None:
        self.fill(place)
        clock.advance(hours=25)
        place.files.usage.sweep()
        assert not self.is_full(place)

    @pytest.mark.parametrize(
        ("settings", "share"),
        [
            ({}, 500_000_000),
            ({"max_total_file_bytes": 1_000_000_000}, 100_000_000),
            ({"max_total_file_bytes": 10_000_000}, 25_000_000),
            ({"max_total_file_bytes": 0}, 500_000_000),
            ({"max_file_bytes": 0}, 1_000_000_000),
            ({"max_file_bytes": 0, "max_total_file_bytes": 0}, 0),
            ({"max_files_per_message": 0, "max_file_bytes": 1_000_000}, 100_000_000),
        ],
    )
    def test_how_much_it_is(self, clock: Clock, settings: dict[str, int], share: int) -> None:
        assert Place(clock, **settings).files.uploads.share == share


class TestAttaching:
    def test_a_message_may_have_files_and_no_text(self, place: Place) -> None:
        files = [place.upload(name=name) for name in ("b.txt", "a.txt")]
        message = place.say(*files)
        assert (message.text, message.files) == ("", tuple(files))

    def test_the_same_again_is_one_message(self, place: Place) -> None:
        file = place.upload()
        assert place.say(file) == place.say(file)

    def test_each_file_is_given_to_one_message(self, place: Place) -> None:
        file = place.upload()
        place.say(file)
        with pytest.raises(Refused, match="belongs to another message"):
            place.say(file, client_id="c2")

    def test_files_of_a_refused_draft_can_be_used_again(self, place: Place) -> None:
        file = place.upload()
        draft = Draft(author=ALICE, text="", client_id="never-stored")
        place.files.of_messages.attach(LOBBY, draft, [file.id])
        assert place.say(file, client_id="c2").files == (file,)

    def test_only_ones_own_of_this_room_and_nothing_made_up(self, place: Place) -> None:
        for file, person, room in (
            (place.upload(person=BOB), ALICE, LOBBY),
            (place.upload(), ALICE, DEN),
            (File(id="0" * 24, name="", type="", size=0), ALICE, LOBBY),
        ):
            with pytest.raises(Refused, match="no longer exists"):
                place.say(file, person=person, room=room)

    def test_at_most_so_many_and_each_once(self, clock: Clock) -> None:
        place = Place(clock, max_files_per_message=2)
        files = [place.upload() for _ in range(3)]
        for wrong in (files, [files[0], files[0]]):
            with pytest.raises(Refused) as caught:
                place.say(*wrong)
            assert caught.value.reason == "too_many_files"

    def test_a_stored_draft_is_answered_though_its_files_are_gone(self, place: Place) -> None:
        file = place.upload()
        message = place.say(file)
        deleted = place.delete(message)
        place.files.usage.sweep()
        assert place.say(file) == deleted

    def test_a_race_that_is_never_won_ends(self, place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
        file = place.upload()
        monkeypatch.setattr(place.store, "claim", lambda *_: False)
        with pytest.raises(Refused) as caught:
            place.say(file)
        assert caught.value.reason == "busy"

    def test_without_files_nothing_is_asked(self, place: Place) -> None:
        draft = new_draft(ALICE, "hi")
        assert place.files.of_messages.attach(LOBBY, draft, []) is draft


class TestLettingGo:
    def test_deleting_a_message_removes_its_files(self, place: Place) -> None:
        file = place.upload(make_picture())
        deleted = place.delete(place.say(file))
        assert deleted.files == ()
        with pytest.raises(Refused, match="no such file"):
            place.files.store.get(file.id)
        assert place.files.usage.sweep() == 1
        assert place.count == place.database["files.chunks"].count_documents({}) == 0

    def test_a_crash_after_the_deletion_is_made_good(
        self, place: Place, clock: Clock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        message = place.say(place.upload())
        monkeypatch.setattr(place.files.of_messages, "remove", lambda message: None)
        place.delete(message)
        assert (place.files.usage.sweep(), place.count) == (0, 1)
        clock.advance(minutes=2)
        assert (place.files.usage.sweep(), place.count) == (1, 0)

    def test_a_database_outage_does_not_undo_the_deletion(self, place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
        def away(*_: Any) -> None:
            raise Unavailable("away")

        monkeypatch.setattr(place.store, "hide_all", away)
        assert place.delete(place.say(place.upload())).deleted_at is not None

    def test_a_failed_deletion_removes_no_files(self, place: Place, clock: Clock) -> None:
        message = place.say(place.upload())
        with pytest.raises(Refused):
            place.delete(message, BOB)
        clock.advance(minutes=2)
        assert place.files.usage.sweep() == 0
        assert place.files.store.get(message.files[0].id)

    def test_an_edit_leaves_them(self, place: Place) -> None:
        message = place.say(place.upload(), text="look")
        edited = place.messages.change(LOBBY, place.messages.changes.editing(access(ALICE, LOBBY), message.id, "see"))
        assert edited.files == message.files
        assert place.files.store.get(message.files[0].id)

    def test_unused_files_are_removed_after_a_day(self, place: Place, clock: Clock) -> None:
        place.upload()
        used = place.say(place.upload()).files[0]
        place.files.of_messages.attach(LOBBY, Draft(author=ALICE, text="", client_id="lost"), [place.upload().id])
        clock.advance(hours=23)
        assert place.files.usage.sweep() == 0
        clock.advance(hours=2)
        assert place.files.usage.sweep() == 2
        assert [str(document["_id"]) for document in place.database["files.files"].find()] == [used.id]

    def test_a_file_whose_message_vanished_is_removed_within_a_week(self, place: Place, clock: Clock) -> None:
        """Somebody took the message out of the database: retention, or a hand."""
        place.say(place.upload())
        clock.advance(hours=25)
        assert place.files.usage.sweep() == 0
        place.database["messages"].delete_many({})
        clock.advance(days=7)
        assert place.files.usage.sweep() == 1

    def test_a_sweep_is_bounded(self, place: Place, clock: Clock) -> None:
        for _ in range(5):
            place.upload()
        clock.advance(hours=25)
        assert [place.files.usage.sweep(2) for _ in range(4)] == [2, 2, 1, 0]
