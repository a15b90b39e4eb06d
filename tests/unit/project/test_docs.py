"""The documentation says what the code does: frames, fields, reasons, statuses, collections, indexes, links, commands.

What is in the code and not documented fails, and so does what is documented and gone.
"""

import ast
import inspect
import io
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, get_args, get_type_hints
from urllib.parse import unquote

import msgspec
import pytest
from flask import Flask
from limits.storage import MongoDBStorage
from pymongo import IndexModel

from chatroom.base.config import Settings
from chatroom.base.errors import Refused
from chatroom.base.models import Author, File, Held, Hook, Message, Notice, Person, Reaction, RoomValues, User
from chatroom.live import protocol
from chatroom.live.sockets.endpoint import REFUSED_STATUS
from chatroom.messages.mentions import Unreached
from chatroom.moderation.held_store import HeldStore
from chatroom.mongo.collections import CollectionModel
from chatroom.outbound.hooks_store import HookStore
from chatroom.people.fields import FIELDS
from chatroom.people.profiles import Profile
from chatroom.rooms.access import LOBBY
from chatroom.rooms.arrangement import Arrangement
from chatroom.rooms.fields import SETTINGS, TYPES
from chatroom.rooms.former_slugs_store import FormerSlugs
from chatroom.rooms.memberships_store import MembershipStore
from chatroom.rooms.rooms_store import RoomStore
from chatroom.services import COLLECTIONS, Services
from chatroom.web.files.files import most_upload_bytes
from chatroom.web.kit import errors
from chatroom.web.messages.held import HeldMessage
from chatroom.web.messages.message_api import Editing
from chatroom.web.messages.messages_api import MOST_MESSAGES, Changes, Post, Reading, StoredAnswer
from chatroom.web.rooms.api import Arranging, ListedRoom, NewRoom, Read, ReadAnswer, RoomAnswer, RoomChange
from chatroom.web.rooms.unread import Unread, UnreadAnswer
from chatroom.web.search.search import Asked, Found, SearchAnswer
from tests.documents import ROOT, blocks, calls, first_cells, is_defined, pages, read, section, tables
from tests.messaging import new_draft
from tests.people import ALICE, access
from tests.pictures import make_picture
from tests.visitors import Visitor

PROTOCOL, MODEL = "docs/protocol.md", "docs/data-model.md"
OPEN = {"data", "details", "status", "quiet"}
"""What a notice contains depends on its kind, and what is said of an act on the act. A status may have any part."""
CODES_OF_THE_SERVER = {"1007", "1009", "1012"}  # uvicorn's own
COUNTED_BY_THE_LIBRARY = {"attempts", "attempt_counters"}

AT = datetime(2026, 11, 21, tzinfo=UTC)
MESSAGE = Message(
    id="0" * 24, sequence=1, revision=2, author=Author("u", "Ann"), client_id="c", text="t", html="h", sent_at=AT
)
HELD = Held(
    id="0" * 24, room_id="lobby", is_public=True, author=Author("u", "Ann"), client_id="c", text="t", held_at=AT
)


class TestLinks:
    @pytest.mark.parametrize("page", pages())
    def test_lead_somewhere(self, page: str) -> None:
        text = re.sub(r"```.*?```", "", read(page), flags=re.DOTALL)
        targets = re.findall(r"\]\(([^)\s]+)\)", text) + re.findall(r'(?:src|srcset|href)="([^"]+)"', text)
        near = [target for target in targets if not target.startswith(("http:", "https:", "mailto:"))]
        assert [target for target in near if not is_there(page, target)] == []

    @pytest.mark.parametrize("page", pages())
    def test_named_places_in_the_code_exist(self, page: str) -> None:
        places = re.findall(r"`([\w./-]+\.(?:py|js)):([\w.]+)`", read(page))
        assert [f"{path}:{name}" for path, name in places if not is_defined(ROOT / path, name)] == []

    def test_every_invariant_names_the_tests_that_show_it(self) -> None:
        table = tables(section("docs/architecture.md", "The invariants"))[0]
        assert [row[0] for row in table] == ["1", "2", "3", "4", "5", "6"]
        assert all("`tests/" in row[-1] for row in table)


class TestCommands:
    @pytest.mark.parametrize("page", pages())
    def test_of_make_have_a_target(self, page: str) -> None:
        targets = set(re.findall(r"^([\w./-]+):", read("Makefile"), re.MULTILINE))
        commands = "\n".join([*blocks(page, "sh"), *re.findall(r"`(make [^`]*)`", read(page))])
        named = re.findall(r"(?:^|&& )make ((?:[a-z./-]+ ?)+)(?![\w=])", commands, re.MULTILINE)
        assert {target for words in named for target in words.split()} <= targets

    def test_of_flask_are_in_the_changelog(self, app: Flask) -> None:
        assert [name for name in app.cli.commands if f"`{name}`" not in read("CHANGELOG.md")] == []


class TestSettings:
    @pytest.mark.parametrize("page", [page for page in pages() if "decisions" not in page])
    def test_that_are_named_exist(self, page: str) -> None:
        known = {field.name.upper() for field in msgspec.structs.fields(Settings)}
        named = re.findall(r"`([A-Z]+(?:_[A-Z]+)+)(?:=[^`]*)?`", read(page))
        assert set(named) <= known

    def test_that_matter_are_five_and_have_their_defaults(self) -> None:
        table = tables(section("README.md", "Settings"))[0]
        assert len(table) == 5
        for name, default, _ in table:
            value = str(getattr(Settings(), name.strip("`").lower()))
            assert default.strip("`") == value or value == ""

    def test_a_form_with_the_most_files_passes_the_nginx_of_the_docs(self) -> None:
        (megabytes,) = re.findall(r"client_max_body_size (\d+)m;", read("docs/operating.md"))
        assert int(megabytes) * 2**20 >= most_upload_bytes(Settings())


class TestFrames:
    def test_from_the_client(self) -> None:
        kinds = {kind.__struct_config__.tag: kind for kind in get_args(protocol.ClientFrame)}
        assert documented("Frames from the client") == set(kinds)
        for name, kind in kinds.items():
            fields = {field.encode_name for field in msgspec.structs.fields(kind)}
            assert first_cells(tables(part("Frames from the client", name))[0]) == fields, name

    @pytest.mark.parametrize("frame", re.findall(r'^`(\{"type".*\})`$', read(PROTOCOL), re.MULTILINE))
    def test_shown_are_real(self, frame: str) -> None:
        kind = json.loads(frame.replace("[...]", "[]"))["type"]
        if frame in section(PROTOCOL, "Frames from the client"):
            assert protocol.parse(frame).__struct_config__.tag == kind
        else:
            assert kind in documented("Frames from the server")

    def test_from_the_server(self) -> None:
        samples = frames_of_the_server()
        made = {frame["type"] for frame in samples}
        assert made == types_in_the_code(), "a frame is made that has no sample in this test"
        assert documented("Frames from the server") == made
        for name in made:
            fields = {field for frame in samples if frame["type"] == name for field in frame} - {"type"}
            assert first_cells(tables(part("Frames from the server", name))[0]) == fields, name

    def test_carry_messages_with_these_fields(self) -> None:
        fields = {field.encode_name for field in msgspec.structs.fields(protocol.WireMessage)}
        assert first_cells(tables(section(PROTOCOL, "A message"))[0]) == fields

    def test_show_people_with_these_fields(self) -> None:
        assert first_cells(tables(section(PROTOCOL, "A person"))[0]) == set(Person.__struct_fields__)

    def test_a_reason_for_every_refusal(self) -> None:
        table = tables(section(PROTOCOL, "Reasons"))[0]
        assert first_cells(table) == reasons_in_the_code()
        for reason, status, _ in table:
            known = errors.STATUS.get(reason.strip("`")) or REFUSED_STATUS.get(reason.strip("`"))
            assert known is None or status.startswith(str(known)), reason

    def test_every_code_that_closes_a_connection(self) -> None:
        ours = {str(code) for call in calls("chatroom/live", "end") for code in literals(call) if isinstance(code, int)}
        assert first_cells(tables(section(PROTOCOL, "Close codes"))[0]) == ours | CODES_OF_THE_SERVER


class TestHandshake:
    def test_parameters(self) -> None:
        table, _ = tables(section(PROTOCOL, "The handshake"))
        code = "".join(path.read_text() for path in (ROOT / "chatroom/live/sockets").rglob("*.py"))
        assert first_cells(table) == set(re.findall(r'query(?:\.get\(|\[)"(\w+)"', code))

    def test_statuses(self) -> None:
        _, table = tables(section(PROTOCOL, "The handshake"))
        assert first_cells(table) == {"400", *map(str, REFUSED_STATUS.values())}


class TestPlainHTTP:
    def test_parameters(self) -> None:
        assert first_cells(tables(section(PROTOCOL, "Reading"))[0]) == set(Reading.__struct_fields__)

    def test_fields(self) -> None:
        body, answer = tables(section(PROTOCOL, "Posting"))
        assert first_cells(body) == set(Post.__struct_fields__)
        assert first_cells(answer) == set(StoredAnswer.__struct_fields__)
        assert first_cells(tables(section(PROTOCOL, "Reading"))[1]) == set(Changes.__struct_fields__)

    def test_fields_of_a_search(self) -> None:
        query, answer = tables(section(PROTOCOL, "Searching"))
        assert first_cells(query) == set(Asked.__struct_fields__)
        assert first_cells(answer) == set(SearchAnswer.__struct_fields__)
        assert set(re.findall(r"`(\w+)`", answer[0][1])) == set(Found.__struct_fields__)

    def test_fields_of_an_edit_and_of_a_held_message(self) -> None:
        assert first_cells(tables(section(PROTOCOL, "One message"))[0]) == set(Editing.__struct_fields__)
        (sentence,) = re.findall(r"Each has ([^.]*)\. *$", section(PROTOCOL, "Posting"), re.MULTILINE)
        values = set(get_args(get_type_hints(HeldMessage)["state"]))
        assert set(re.findall(r"`(\w+)`", sentence)) - values == set(HeldMessage.__struct_fields__)

    @pytest.mark.parametrize(("field", "kind"), [("files", File), ("reactions", Reaction), ("author", Author)])
    def test_fields_inside_a_message(self, field: str, kind: type[msgspec.Struct]) -> None:
        (text,) = [row[1] for row in tables(section(PROTOCOL, "A message"))[0] if row[0] == f"`{field}`"]
        documented = set(re.findall(r'"(\w+)"', text.split("`")[1]))
        assert documented - {"id", "name"} == set(kind.__struct_fields__) - {"id", "name"}

    def test_fields_of_a_listed_room(self) -> None:
        listed, new, shown, change, arranging, body, answer, marked, mark = tables(section(PROTOCOL, "Rooms"))
        assert first_cells(new) == set(NewRoom.__struct_fields__)
        assert first_cells(shown) == set(RoomAnswer.__struct_fields__)
        assert first_cells(change) == set(RoomChange.__struct_fields__)
        assert first_cells(listed) == set(ListedRoom.__struct_fields__)
        assert first_cells(arranging) == set(Arranging.__struct_fields__)
        assert first_cells(body) == set(Read.__struct_fields__)
        assert first_cells(answer) == set(ReadAnswer.__struct_fields__)
        assert first_cells(marked) == set(Unread.__struct_fields__)
        assert first_cells(mark) == set(UnreadAnswer.__struct_fields__)

    def test_bounds(self) -> None:
        assert (
            f"the default is `HISTORY_PAGE` (50). The largest possible value is {MOST_MESSAGES}, or `HISTORY_PAGE` if"
            in read(PROTOCOL)
        )
        assert Settings().history_page == 50

    def test_statuses(self) -> None:
        possible = {200, 201, 202, 405, *errors.STATUS.values(), *errors.REASON, *errors.TITLES}
        assert first_cells(tables(section(PROTOCOL, "Errors"))[0]) == set(map(str, possible))


class TestDataModel:
    def test_collections(self) -> None:
        named = re.findall(r"^## `([\w.]+)`$", read(MODEL), re.MULTILINE)
        assert set(named) == {each.name for each in COLLECTIONS} | COUNTED_BY_THE_LIBRARY
        library = [
            keyword.value
            for call in calls("chatroom/site", "super().__init__", "limits_store.py")
            for keyword in call.keywords
        ]
        assert {each.value for each in library if isinstance(each, ast.Constant)} >= COUNTED_BY_THE_LIBRARY

    @pytest.mark.parametrize("collection", COLLECTIONS, ids=lambda collection: collection.name)
    def test_indexes(self, collection: CollectionModel) -> None:
        _, *more = tables(section(MODEL, collection.name))
        documented = {(keys.strip("`"), kind) for table in more for keys, kind, _ in table}
        assert documented == set(map(described, collection.indexes))

    def test_fields(self, used: Services) -> None:
        for collection in [each.name for each in COLLECTIONS]:
            documents = list(used.database.client[used.database.name][collection].find())
            assert documents, f"nothing was stored in {collection}: this test has to use it"
            fields = {field for document in documents for field in fields_of(document)}
            assert first_cells(tables(section(MODEL, collection))[0]) == fields, collection

    def test_fields_of_users_have_marks(self) -> None:
        assert first_cells(tables(section(MODEL, "users"))[0]) == set(FIELDS)

    @pytest.mark.parametrize("collection", sorted(COUNTED_BY_THE_LIBRARY))
    def test_the_librarys_fields_are_its_own(self, collection: str) -> None:
        code = Path(inspect.getfile(MongoDBStorage)).read_text()
        for field in re.findall(r"^\| `(\w+)` \|", section(MODEL, collection), re.MULTILINE):
            assert f'"{field}"' in code


@pytest.fixture
def used(alice: Visitor, services: Services, monkeypatch: pytest.MonkeyPatch) -> Services:
    """Services whose every collection has seen everything that is done with it, and no act was recorded at last."""
    monkeypatch.setattr(services.site.acts._store, "settle", lambda _note: None)
    assert alice.is_signed_in
    user = services.people.users.find_by_username("alice")
    assert user is not None
    author = Author(user.id, user.display_name)
    access = services.rooms.access.get_for(user.id, "lobby")
    lobby = access.room
    for text in ("edited", "deleted"):
        services.messages.writer.post(lobby, new_draft(author, text, reply_to=1))
    first, second = services.messages.store.newest(lobby.id, 2)
    services.messages.writer.change(lobby, services.messages.changes.editing(access, first.id, "edited!"))
    services.messages.writer.change(lobby, services.messages.changes.deleting(access, second.id))
    services.rooms.read_positions.mark_unread(access, first.sequence)
    services.rooms.preferences.choose_for_new_rooms(user.id, "all")
    services.outbound.webhooks.make_incoming(access, author, "CI")
    told = Hook(
        id="h", room=lobby.id, kind="outgoing", name="Logs", made_by=author, created_at=AT, url="https://logs.test/"
    )
    HookStore(services.database).add(told, key="whsec_x")
    services.outbound.webhooks.make_incoming(access, author, "CD")
    services.outbound.webhooks.remove(access, services.outbound.webhooks.list_for(access)[-1].id)
    bot = services.people.accounts.create_bot("robot", "Robot")
    by_bot = new_draft(Author(bot.id, bot.display_name, is_bot=True), "beep")
    beeps = [services.messages.writer.post(lobby, by_bot).message]
    beeps.append(services.messages.writer.post(lobby, new_draft(by_bot.author, "boop")).message)
    for beep in beeps:
        services.moderation.reports.make(access, author, beep, "too loud")
    services.moderation.reports.close(user, services.moderation.reports.list_open()[0], [], "")
    services.people.avatars.set(user.id, io.BytesIO(make_picture("PNG")))
    file = services.files.uploads.take(user.id, lobby, "a.png", io.BytesIO(make_picture("PNG")))
    with_file = new_draft(author, "", "c1")
    services.messages.writer.post(lobby, services.files.of_messages.attach(lobby, with_file, [file.id]))
    services.messages.writer.change(lobby, services.messages.changes.reacting(access, first.id, ":tada:"))
    services.messages.writer.change(lobby, services.messages.changes.pinning(access, first.id))
    services.messages.writer.post(lobby, services.messages.texts.with_mentions(access, new_draft(author, "@alice")))
    services.live.presences.take([(lobby.id, user.person), (lobby.id, bot.person)])
    services.search.search.find(user.id, "edited")
    services.site.leases.take("work", 1)
    services.live.presences.mark_typing([(lobby.id, author.id)], AT)
    services.rooms.read_positions.mark(access, 1)
    services.rooms.arrangement.change(access, Arrangement(is_starred=True, is_hidden=True, notify="all"))
    services.rooms.arrangement.change(access, Arrangement(paused_until=AT))
    services.outbound.later.save(access, first, datetime.now(UTC) + timedelta(days=1))
    services.moderation.admission.make_invite(None, uses=1, days=1)
    services.moderation.admission.make_invite(None, uses=1, days=1)
    services.moderation.admission.revoke_invite(None, services.moderation.admission.list_invites()[0].id)
    for mute in (services.moderation.moderation.mute, services.moderation.moderation.ban):
        mute(None, user, AT, "why")
    MembershipStore(services.database).set_mute(user.id, lobby.id, AT, "why")
    services.outbound.push.subscribe(user.id, "s", "https://1.1.1.1/push", "p" * 87, "a" * 22)
    assert services.outbound.push.public_key
    for _ in range(2):
        services.people.resets.make(None, user)
    services.people.resets.use(services.people.resets.make(None, bot), "another quiet evening")
    services.people.statuses.set_status(user, "🌴", "On holiday", None)
    services.people.statuses.set_quiet_hours(user, "22:00", "07:00", "UTC")
    services.people.profiles.change(
        user, Profile(display_name=user.display_name, about="hi", time_zone="Europe/Vienna")
    )
    services.moderation.admission.set_registration(None, "open")
    services.moderation.naming.set(None, "The Shed", "For all who dig.")
    services.people.users.hide_first_steps(user.id)
    use_rooms(services, author, bot)
    use_approval(services)
    services.people.sessions.end_all(user.id)
    services.people.states.make_former(bot.id, is_erased=True)
    services.site.notices.tell(Notice(kind="room", room=lobby.id))
    services.erasure.clearing.begin(lobby, author, "")
    return services


def use_approval(services: Services) -> None:
    """Everything that is done with the first messages of newcomers."""
    user = services.people.users.add("newcomer", "Newcomer", "x")
    services.moderation.newcomers.set_first(None, 2)
    access = services.rooms.access.get_for(user.id, LOBBY.slug)
    file = services.files.uploads.take(user.id, access.room, "a.txt", io.BytesIO(b"words"))
    for name, files in (("h1", [file.id]), ("h2", []), ("h3", [])):
        draft = new_draft(access.author, name, name, reply_to=1)
        assert services.moderation.holding.hold(access, services.files.of_messages.attach(access.room, draft, files))
    approved, rejected, unfinished = [row.held.id for row in services.moderation.approval.list_all()]
    services.moderation.approval.approve(None, approved, is_trusting=True)
    services.moderation.approval.reject(None, rejected, "No.")
    HeldStore(services.database).decide(unfinished, "withdrawn", access.author)
    other = services.people.users.add("another", "Another", "x")
    access = services.rooms.access.get_for(other.id, LOBBY.slug)
    file = services.files.uploads.take(other.id, access.room, "a.txt", io.BytesIO(b"words"))
    draft = services.files.of_messages.attach(access.room, new_draft(access.author, "h4", "h4"), [file.id])
    assert services.moderation.holding.hold(access, draft)


def use_rooms(services: Services, author: Author, other: User) -> None:
    """Everything that is done with rooms."""
    room = services.rooms.making.create(author, "member", title="Den", topic="Ours", is_private=True)
    access = services.rooms.access.get_for(author.id, room.slug)
    some = {bool: True, int: 1, str: "some"}
    wanted = RoomValues(title="The den", topic="", **{name: some[TYPES[name]] for name in SETTINGS})
    services.rooms.settings.change(access, wanted)
    services.rooms.settings.archive(access, is_archived=True)
    for _ in range(2):
        services.rooms.links.make(access, uses=1, hours=1)
    services.rooms.links.end(access, services.rooms.links.list_for(access)[0].id)
    services.rooms.membership.add(access, other.id, "Robot")
    as_member = services.rooms.access.get_for(other.id, access.room.slug)
    slow = msgspec.structs.replace(as_member, room=msgspec.structs.replace(room, slow_seconds=5))
    services.messages.rules.take_turn(slow, "person", "c1")
    services.rooms.membership.remove(access, other.id)
    services.rooms.membership.add(access, other.id, other.display_name)
    services.rooms.membership.leave(services.rooms.access.get_for(other.id, access.room.slug))
    direct = services.rooms.direct.open(author, [other.id])
    RoomStore(services.database).change(direct.id, {"slug": "dm-" + "0" * 20})  # as they were before
    FormerSlugs(services.database).move()
    RoomStore(services.database).change(room.id, {"retained_after": 1})


def is_there(page: str, target: str) -> bool:
    path, _, anchor = unquote(target).partition("#")
    goal = (ROOT / page).parent / path if path else ROOT / page
    return goal.exists() and (not anchor or anchor in anchors(goal))


def anchors(page: Path) -> set[str]:
    """As GitHub makes them of headings."""
    text = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    heads = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


def documented(title: str) -> set[str]:
    """The frames that have a section under this heading."""
    return set(re.findall(r"^#### `(\w+)`$", section(PROTOCOL, title), re.MULTILINE))


def part(title: str, frame: str) -> str:
    """What is said of a frame under this heading: some go both ways."""
    return section(PROTOCOL, title).split(f"#### `{frame}`\n")[1].split("\n#### ")[0]


def frames_of_the_server() -> list[dict[str, Any]]:
    """At least one of every kind, with all the fields that it can have."""
    refusal = Refused("too_fast", "Wait.", retry_after=1.5)
    person = Person("u", "Ann")
    until = datetime(2100, 1, 1, tzinfo=UTC)
    muted = msgspec.structs.replace(access(ALICE, LOBBY), muted_until=until, mute_reason="too loud")
    piece = protocol.encode_message(MESSAGE, "text")
    made = [
        protocol.changes("lobby", 2, [piece]),
        protocol.stored("lobby", MESSAGE, MESSAGE.client_id, [Unreached("bob", "Bob is not in this room.")]),
        protocol.caught_up("lobby", 2, 1),
        protocol.held("lobby", HELD),
        protocol.approval("lobby"),
        protocol.refused(refusal, {"room": "lobby", "client_id": "c"}),
        protocol.here("lobby", [person]),
        protocol.typing("lobby", [person]),
        protocol.presence_changed("lobby", [person], ["u"]),
        protocol.closed("dm-1", "moved", "This conversation has a new address.", to="dm_1"),
        protocol.room(LOBBY),
        protocol.mute("lobby", muted),
        protocol.rooms(),
        protocol.cases(),
        protocol.later(is_due=True),
        protocol.read("lobby", 41, 1),
    ]
    return [json.loads(frame) for frame in made]


def types_in_the_code() -> set[str]:
    code = (ROOT / "chatroom/live/protocol.py").read_text()
    return set(re.findall(r'"type":\s*"(\w+)"', code))


def reasons_in_the_code() -> set[str]:
    given = {reason for call in calls("chatroom", "Refused") for reason in literals(call)[:1]}
    taken = {str(literals(call)[0]) for call in calls("chatroom", "super().__init__") if len(literals(call)) == 2}
    # The reasons of the rules of a room (`chatroom.messages.rules`) have a status there.
    return {*given, *taken, *errors.STATUS, *errors.REASON.values(), *REFUSED_STATUS, "invalid"}


def described(index: IndexModel) -> tuple[str, str]:
    """An index as the page writes it."""
    document = index.document
    kinds = [kind for kind in ("unique", "sparse") if document.get(kind)]
    if "partialFilterExpression" in document:
        kinds.append("partial")
    if "expireAfterSeconds" in document:
        kinds.append(f"TTL, {document['expireAfterSeconds']} s")
    return ", ".join(document["key"]), ", ".join(kinds)


def fields_of(document: dict[str, Any], owner: str = "") -> Iterator[str]:
    for name, value in document.items():
        if isinstance(value, dict) and name not in OPEN:
            yield from fields_of(value, f"{name}.")
        else:
            yield owner + name


def literals(call: ast.Call) -> list[Any]:
    return [argument.value for argument in call.args if isinstance(argument, ast.Constant)]
