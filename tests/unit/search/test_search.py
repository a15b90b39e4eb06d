"""Search, on both databases: what is found, by whom, and how the index follows the log."""

from datetime import timedelta
from typing import Any

import pytest
from bson import ObjectId

from chatroom.base.errors import Refused
from chatroom.base.models import Author, Draft, File, Message
from chatroom.messages.changes import ERASED
from chatroom.mongo.database import Database
from chatroom.search import indexer as indexing
from chatroom.search import proposals, words_store
from chatroom.search import search as searching
from chatroom.search import search_store as store
from chatroom.search.fields import Fields
from chatroom.search.indexer import entry, mark
from chatroom.search.search import Hit, Results
from chatroom.search.search_store import Entry
from chatroom.search.terms import RULE_VERSION
from chatroom.site.background import BackgroundThread
from tests.people import ALICE, BOB, MALLORY, access
from tests.unit.search.site import BATCH, DEN, EPOCH, LOBBY, Site
from tests.waiting import PATIENCE_SECONDS, wait_until


@pytest.fixture
def site(database: Database) -> Site:
    return Site(database)


def shown(hit: Hit) -> str:
    return "".join(f"[{piece.text}]" if piece.is_hit else piece.text for piece in hit.snippet)


class TestFinding:
    def test_words_by_their_beginning_without_accents(self, site: Site) -> None:
        site.say("Un Café au lait", "no coffee", "CAFÉS")
        assert site.texts("caf") == ["CAFÉS", "Un Café au lait"]
        assert site.texts("café") == ["CAFÉS", "Un Café au lait"]
        assert site.texts('"cafe"') == ["Un Café au lait"]

    def test_all_words_have_to_be_there(self, site: Site) -> None:
        site.say("rain in spain", "rain again", "spain")
        assert site.texts("spain rain") == ["rain in spain"]

    def test_phrases(self, site: Site) -> None:
        site.say("in the rain", "the rain in Spain", "rain the")
        assert site.texts('"the rain"') == ["the rain in Spain", "in the rain"]
        assert site.texts('"the rain in"') == ["the rain in Spain"]

    def test_scripts_without_spaces(self, site: Site) -> None:
        site.say("私は日本語を話します", "日記", "ภาษาไทยง่าย")
        assert site.texts("日本") == ["私は日本語を話します"]
        assert site.texts("日") == ["日記", "私は日本語を話します"]
        assert site.texts("ไทย") == ["ภาษาไทยง่าย"]

    def test_people(self, site: Site) -> None:
        site.say("mine", "mine too")
        site.say("his", author=BOB)
        assert site.texts("from:bob") == ["his"]
        assert site.texts("from:me") == ["mine too", "mine"]
        assert site.texts("from:bob from:alice") == ["his", "mine too", "mine"]
        assert site.texts("from:bob mine") == []
        with pytest.raises(Refused, match="no user named “carol”"):
            site.find("from:carol")

    def test_rooms_by_address_or_title(self, site: Site) -> None:
        site.say("train")
        site.say("train in the den", room=DEN)
        assert site.texts("train") == ["train in the den", "train"]
        assert site.texts("train in:lobby") == ["train"]
        assert site.texts('in:"the den"') == ["train in the den"]
        assert site.texts("in:den in:lobby train") == ["train in the den", "train"]

    def test_filters_on_content(self, site: Site) -> None:
        site.say("see https://example.com/train", "train")
        picture = File(id="f" * 24, name="Übersicht 2026.pdf", type="application/pdf", size=1)
        with_file = Draft(author=ALICE, text="the plan", client_id="f1", files=(picture,))
        site.messages.append(LOBBY.id, [with_file])
        assert site.texts("has:link") == ["see https://example.com/train"]
        assert site.texts("has:file") == ["the plan"]
        assert site.texts("ubersicht") == ["the plan"]
        assert site.texts("has:link train") == ["see https://example.com/train"]
        assert site.texts("has:link has:file") == []

    def test_days(self, site: Site) -> None:
        (message,) = site.say("today")
        at = ObjectId(message.id).generation_time  # whatever the machine's clock says, and around midnight
        yesterday, day, tomorrow = (f"{at + timedelta(days=days):%Y-%m-%d}" for days in (-1, 0, 1))
        assert site.texts(f"before:{day}") == []
        assert site.texts(f"after:{day}") == []
        assert site.texts(f"after:{yesterday} before:{tomorrow}") == ["today"]
        assert site.texts(f"today before:{day}") == []

    def test_the_snippet_marks_the_hits(self, site: Site) -> None:
        site.say("Un Café <b>au</b> lait", "x " * 200 + "the needle " + "y " * 200)
        assert shown(site.find("caf lait").hits[0]) == "Un [Café] <b>au</b> [lait]"
        long = shown(site.find("needle").hits[0])
        assert len(long) < 300
        assert "the [needle] y" in long
        assert long.startswith("… x")
        assert long.endswith("y …")

    def test_a_page_and_the_next_meet_exactly(self, site: Site) -> None:
        site.say(*(f"train {n}" for n in range(45)))
        site.say(*(f"train den {n}" for n in range(10)), room=DEN)
        found: list[str] = []
        before = None
        pages = 0
        while pages == 0 or before:
            page = site.find("train", before=before)
            found += [hit.message.text for hit in page.hits]
            before = page.before
            pages += 1
        assert pages == 3
        assert found == [f"train den {n}" for n in range(9, -1, -1)] + [f"train {n}" for n in range(44, -1, -1)]

    def test_more_endings_than_are_named(self, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(proposals, "MOST_ENDINGS", 5)
        site.say(*(f"abc{n}" for n in range(10)), "other")
        assert len(site.texts("abc")) == 10
        assert site.texts("abc other") == []

    def test_common_words_that_hardly_meet_are_looked_for_in_steps(
        self, site: Site, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(proposals, "FIRST_LOOK", 6)
        monkeypatch.setattr(searching, "SECONDS", -1.0)
        site.say("black white", *["black", "white"] * 10)
        before, steps = None, 0
        while True:
            page = site.find("black white", before=before)
            steps += 1
            if page.hits:
                break
            assert page.is_cut
            assert page.reached
            before = page.before
        assert [hit.message.text for hit in page.hits] == ["black white"]
        assert 2 <= steps <= 4

    @pytest.mark.parametrize("common", [1, 2000])
    @pytest.mark.parametrize("text", ["black white", "bl whi", '"black white"', "from:alice bl", "bl"])
    def test_whichever_way_it_is_looked_for_the_pages_have_all(
        self, site: Site, monkeypatch: pytest.MonkeyPatch, text: str, common: int
    ) -> None:
        """Looked for among the newest, by the rarest word, or by a word that is common: the same is found."""
        for name, value in (("FIRST_LOOK", 3), ("MOST_LOOKED_AT", 6), ("MOST_COUNTED", common), ("RARE", 1)):
            monkeypatch.setattr(proposals, name, value)
        site.say("black white 0", *["blue", "white"] * 6, "black white 1", *["blue whale"] * 9, "black white 2")
        site.say("black white den", "blue white", room=DEN)
        expected = [m for m in site.store.newest(LOBBY.id, 100) + site.store.newest(DEN.id, 100) if _has(text, m.text)]
        found: list[str] = []
        before, pages = None, 0
        while pages == 0 or before:
            page = site.find(text, before=before, limit=2)
            found += [hit.message.id for hit in page.hits]
            before = page.before
            pages += 1
        assert found == sorted((message.id for message in expected), reverse=True)
        assert len(found) >= 4

    @pytest.mark.parametrize("text", ["black nowhere", '"black" "nowhere"'])
    def test_a_missing_word_ends_the_search(self, site: Site, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
        monkeypatch.setattr(proposals, "FIRST_LOOK", 2)
        site.say(*["black"] * 5)
        site.say("black", room=DEN)
        fields = Fields(words=text)
        assert site.find(text) == Results(hits=[], before=None, is_cut=False, is_behind=False, fields=fields)

    @pytest.mark.parametrize("before", ["", "x", "1" * 23, "$ne", '{"$gt": ""}'])
    def test_a_place_that_is_none(self, site: Site, before: str) -> None:
        with pytest.raises(Refused) as caught:
            site.find("train", before=before)
        assert caught.value.reason == "invalid"


class TestWhoFindsWhat:
    def test_nothing_of_a_room_that_one_is_not_in(self, site: Site) -> None:
        site.say("a secret train", room=DEN)
        site.say("train")
        assert site.texts("secret") == ["a secret train"]
        assert site.texts("secret", MALLORY) == []
        assert site.texts("train", MALLORY) == ["train"]
        assert site.texts("from:alice", MALLORY) == ["train"]
        place = site.find("secret").hits[0].message.id
        assert site.find("train", MALLORY, before=place).hits == []

    def test_a_private_and_a_missing_room_get_the_same_error(self, site: Site) -> None:
        said = []
        for name in ("den", "nowhere"):
            with pytest.raises(Refused) as caught:
                site.find(f"in:{name}", MALLORY)
            said.append(caught.value.message.replace(name, "?"))
        assert said[0] == said[1]

    def test_a_former_member_finds_nothing(self, site: Site) -> None:
        site.say("a secret", room=DEN)
        assert site.texts("secret", BOB)
        removal = {"$set": {"removed_at": EPOCH}}
        site.database["memberships"].update_one({"user": BOB.id, "room": DEN.id}, removal)
        assert site.texts("secret", BOB) == []

    def test_the_index_only_proposes(self, site: Site) -> None:
        """What the message is now decides, also where the index is behind, or wrong."""
        (message,) = site.say("the secret")
        assert site.texts("secret")
        site.database["messages"].update_one({"_id": ObjectId(message.id)}, {"$set": {"text": "nothing"}})
        assert site.texts("secret") == []

    def test_a_user_without_rooms_finds_nothing(self, site: Site) -> None:
        assert site.find("train", Author("d" * 24, "Dora")).hits == []


class TestWhatIsNotIndexedYet:
    """While another thread or process indexes, a search looks through the newest messages as they are."""

    @pytest.fixture(autouse=True)
    def elsewhere(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(BackgroundThread, "is_started", True)

    def test_new_messages_are_found_and_searching_writes_nothing(self, site: Site) -> None:
        site.say("a train", "a tram")
        site.say("a train in the den", room=DEN)
        assert site.texts("train") == ["a train in the den", "a train"]
        assert site.texts("train", MALLORY) == ["a train"]
        assert site.texts("nothing") == []
        assert site.database["search_entries"].count_documents({}) == 0

    def test_the_latest_state_counts(self, site: Site) -> None:
        one, two = site.say("old words", "other words")
        assert site.indexer.take_in(LOBBY.id, 0) is None
        site.messages.change(LOBBY, site.messages.changes.editing(access(ALICE, LOBBY), one.id, "new words"))
        site.messages.change(LOBBY, site.messages.changes.deleting(access(ALICE, LOBBY), two.id))
        assert site.texts("old") == site.texts("other") == []
        assert site.texts("new") == site.texts("words") == ["new words"]

    def test_the_pages_of_both_meet_exactly(self, site: Site) -> None:
        said = site.say(*(f"train {n}" for n in range(30)))
        assert site.indexer.take_in(LOBBY.id, 0) is None
        for message in said[3:7]:  # old, and changed just now
            site.messages.change(
                LOBBY, site.messages.changes.editing(access(ALICE, LOBBY), message.id, f"{message.text}!")
            )
        said += site.say(*(f"train {n}" for n in range(30, 40)))
        found: list[str] = []
        before, pages = None, 0
        while pages == 0 or before:
            page = site.find("train", before=before, limit=7)
            found += [hit.message.id for hit in page.hits]
            before = page.before
            pages += 1
        assert found == [message.id for message in reversed(said)]
        assert pages == 6

    def test_a_cut_search_returns_the_newest_and_says_so(self, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(searching, "MOST_UNINDEXED", 4)
        site.say("early train", *(f"m{n}" for n in range(4)))
        fields = Fields(words="early")
        assert site.find("early") == Results(hits=[], before=None, is_cut=False, is_behind=True, fields=fields)
        site.say("late train")
        assert [hit.message.text for hit in site.find("train").hits] == ["late train"]
        assert site.indexer.take_in(LOBBY.id, 0) is None
        assert not site.find("train").is_behind
        assert site.texts("train") == ["late train", "early train"]


class TestIndex:
    def test_an_edit_is_found_by_its_new_words_alone(self, site: Site) -> None:
        (message,) = site.say("old words")
        assert site.texts("old")
        site.messages.change(LOBBY, site.messages.changes.editing(access(ALICE, LOBBY), message.id, "new words"))
        assert site.texts("old") == []
        assert site.texts("new") == ["new words"]
        assert site.words_kept() == site.dictionary() == {"new", "words"}

    def test_a_deletion_leaves_no_word(self, site: Site) -> None:
        first, _ = site.say("the password is hunter2", "the rest")
        assert site.texts("hunter2")
        site.messages.change(LOBBY, site.messages.changes.deleting(access(ALICE, LOBBY), first.id))
        assert site.texts("hunter2") == []
        assert site.words_kept() == site.dictionary() == {"the", "rest"}

    def test_erased_messages_leave_no_unique_words(self, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
        """Rare words by the hundred are looked for together: one by one, they outlast the time for a batch."""
        monkeypatch.setattr(words_store, "WORDS_AT_ONCE", 40)
        monkeypatch.setattr(store, "ENTRIES_AT_ONCE", 2)
        erased = site.say(*(f"rare{n} common shared{n % 7}" for n in range(100)))
        site.say(*(f"common shared{n} kept{n}" for n in range(7)))
        assert site.indexer.take_in(LOBBY.id, 0) is None
        site.messages.change(LOBBY, site.messages.changes.clearing([message.sequence for message in erased]))
        asked: list[int] = []
        used = site.index.words._find_used
        monkeypatch.setattr(
            site.index.words, "_find_used", lambda room, words: asked.append(len(words)) or used(room, words)
        )
        assert site.indexer.take_in(LOBBY.id, 107) is None
        left = {"common", *(f"shared{n}" for n in range(7)), *(f"kept{n}" for n in range(7))}
        assert site.words_kept() == site.dictionary() == left
        assert len(asked) < 10

    def test_it_continues_from_its_position(self, site: Site) -> None:
        site.say(*(f"m{n}" for n in range(BATCH + 10)))
        assert site.indexer.behind([LOBBY.id, DEN.id]) == {LOBBY.id: 0}
        cursor = site.indexer.take_in(LOBBY.id, 0)
        assert cursor == BATCH
        another = site.make_indexer("two")
        assert another.behind([LOBBY.id]) == {LOBBY.id: BATCH}
        assert another.take_in(LOBBY.id, BATCH) is None
        assert another.behind([LOBBY.id]) == {}

    def test_repeated_or_late_indexing_is_harmless(self, site: Site) -> None:
        """An indexer that stood still writes an older state after a newer one."""
        old = site.say("old words")[0]
        site.indexer.take_in(LOBBY.id, 0)
        site.messages.change(LOBBY, site.messages.changes.deleting(access(ALICE, LOBBY), old.id))
        site.indexer.take_in(LOBBY.id, 1)
        for _ in range(2):
            site.index.put(LOBBY.id, [entry(old)])
            site.index.advance(LOBBY.id, 1, RULE_VERSION)
        assert site.words_kept() == set()
        assert site.indexer.behind([LOBBY.id]) == {}

    def test_a_death_between_entries_and_cursor_is_made_up_for(self, site: Site, monkeypatch: Any) -> None:
        site.say("once", "twice")
        monkeypatch.setattr(site.index, "advance", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            site.indexer.take_in(LOBBY.id, 0)
        monkeypatch.undo()
        assert site.texts("once") == ["once"]
        assert site.database["search_entries"].count_documents({}) == 2

    def test_a_new_rule_starts_over(self, site: Site) -> None:
        site.say("word")
        site.indexer.take_in(LOBBY.id, 0)
        site.index.advance(LOBBY.id, 0, RULE_VERSION + 1)
        assert site.index.cursors([LOBBY.id], RULE_VERSION + 1) == {LOBBY.id: 0}
        assert site.indexer.behind([LOBBY.id]) == {LOBBY.id: 0}

    def test_an_index_of_older_rules_finds_words_until_it_is_new(
        self, site: Site, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(BackgroundThread, "is_started", True)
        monkeypatch.setattr(searching, "MOST_UNINDEXED", 2)
        (old,) = site.say("we won 🎉")
        site.say(*(f"m{n}" for n in range(3)))
        site.index.put(LOBBY.id, [Entry(old.id, old.revision, {"we", "won"})])
        site.index.advance(LOBBY.id, 4, RULE_VERSION - 1)
        assert site.texts("won") == ["we won 🎉"]
        assert site.texts("🎉") == []
        assert site.find("🎉").is_behind
        assert site.indexer.catch_up([LOBBY.id], lambda: True)
        assert site.texts("🎉") == site.texts(":tada:") == ["we won 🎉"]
        assert not site.find("🎉").is_behind

    def test_rebuilding(self, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(indexing, "REBUILD_BATCH", BATCH)
        site.say(*(f"m{n}" for n in range(BATCH + 1)))
        site.database["search_entries"].insert_one({"room": LOBBY.id, "revision": 1, "words": ["stray"]})
        reported: list[tuple[str, int, int]] = []
        site.indexer.rebuild(lambda *progress: reported.append(progress))
        assert [progress for progress in reported if progress[0] == LOBBY.id] == [
            (LOBBY.id, 0, BATCH + 1),
            (LOBBY.id, BATCH, BATCH + 1),
            (LOBBY.id, BATCH + 1, BATCH + 1),
        ]
        assert site.database["search_entries"].count_documents({}) == BATCH + 1
        assert len(site.texts("m1")) == 20

    def test_one_indexer_follows_all_rooms_and_another_takes_over(
        self, site: Site, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("chatroom.site.background.PAUSE_SECONDS", 0.01)
        monkeypatch.setattr(indexing, "REST", 0)
        one, two = site.make_indexer("one").thread, site.make_indexer("two").thread
        for thread in (one, two):
            monkeypatch.setattr(thread, "_stop_seconds", PATIENCE_SECONDS)
        rooms = [LOBBY.id, DEN.id]
        site.say(*(f"m{n}" for n in range(2 * BATCH + 1)))
        site.say("in the den", room=DEN)
        one.start()
        try:
            wait_until(lambda: not site.indexer.behind(rooms))
            two.start()
            one.stop()
            site.say("later")
            wait_until(lambda: not site.indexer.behind(rooms))
        finally:
            one.stop()
            two.stop()
        assert site.database["search_entries"].count_documents({}) == 2 * BATCH + 3
        assert site.database["leases"].count_documents({}) == 0

    def test_a_search_indexes_a_bounded_number(self, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(searching, "MOST_CAUGHT_UP", 1)
        site.say(*(f"m{n}" for n in range(BATCH + 5)))
        site.find("m1")
        assert site.indexer.behind([LOBBY.id]) == {LOBBY.id: BATCH}

    @pytest.mark.parametrize(("said_meanwhile", "is_busy"), [(0, False), (20, True)])
    def test_it_rests_longer_while_a_lot_is_written(
        self, site: Site, monkeypatch: pytest.MonkeyPatch, said_meanwhile: int, is_busy: bool
    ) -> None:
        """A batch takes a second here: what came meanwhile is so many a second."""
        monkeypatch.setattr(indexing, "BUSY", 10)
        seconds = iter((0.0, 1.0, 2.0, 3.0))
        indexer = site.make_indexer(clock=lambda: next(seconds))
        cursors = iter((1, None))

        def take_in(room: str, cursor: int) -> int | None:
            site.say(*(f"m{n}" for n in range(said_meanwhile)))
            return next(cursors)

        site.say("first")
        monkeypatch.setattr(indexer, "take_in", take_in)
        rest = indexing.REST_WHILE_BUSY if is_busy else indexing.REST
        assert indexer.take_in_and_look_round(LOBBY.id, 0) == (1, rest)
        assert indexer.take_in_and_look_round(LOBBY.id, 1) == (None, 0)

    def test_events_and_deleted_messages_have_only_mentions_as_terms(self) -> None:
        message = Message(
            id="1" * 24, sequence=1, revision=1, author=ALICE, client_id="c", text="w", html="", sent_at=EPOCH
        )
        assert "w" in entry(message).words
        for change in ({"kind": "event"}, {"deleted_at": EPOCH}):
            assert entry(Message(**{**_fields(message), **change})).words == {mark("named", ALICE.id)}
        assert ERASED["text"] == ""


def _has(text: str, said: str) -> bool:
    """Whether a message of the test has what is looked for, without any index."""
    wanted = [word.strip('"') for word in text.split() if ":" not in word]
    return all(any(word.startswith(each) for word in said.split()) for each in wanted)


def _fields(message: Message) -> dict[str, Any]:
    return {name: getattr(message, name) for name in message.__struct_fields__}
