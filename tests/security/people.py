"""Everybody who may come to a private room, the den, and the ways in that they have.

Made straight in the database: the pages make no private rooms yet.
"""

import io
from functools import cache
from typing import Any, BinaryIO

import msgspec
import pytest
from flask import Flask

from chatroom.base.models import Author, Draft, Message, Room, User
from chatroom.files.child import DrawingProcesses
from chatroom.files.pictures import make_squares
from chatroom.files.renderer import Drawing
from chatroom.messages.messages_store import Rendered
from chatroom.people.avatars_store import AvatarStore
from chatroom.people.passwords import Passwords, make_hasher
from chatroom.people.tokens import SCOPES
from chatroom.rooms.memberships_store import MembershipStore
from chatroom.rooms.rooms_store import RoomStore
from chatroom.web.kit.cookies import NAME, SECRET
from tests.conftest import services_of, visitor
from tests.corpus.pictures import make
from tests.messaging import new_draft
from tests.pictures import make_picture
from tests.visitors import PASSWORD, Visitor

DEN = Room(id="den-id", slug="den", title="The den of Alice", kind="private")

WHO = ("anonymous", "outsider", "member", "author", "administrator", "token", "ended session", "revoked token")
"""`token` is the member's program. The last two are the author's, ended before they come."""


KEEPERS = {"moderator": "moderator", "owner": "administrator"}
"""Members of the den who keep order in it, each with their role in it."""


class Person(msgspec.Struct, frozen=True):
    """One who comes, and what they bring along."""

    cookie: str = ""
    token: str = ""
    user: User | None = None

    @property
    def headers(self) -> dict[str, str]:
        """What their requests carry, but for the cookie."""
        return {"Authorization": f"Bearer {self.token}"} if self.token else {}


@cache
def hash_of(password: str) -> str:
    return Passwords(make_hasher(), rounds=4).hash(password)


@cache
def squares() -> tuple[bytes, bytes]:
    """The two sizes of an avatar."""
    return make_squares(io.BytesIO(make_picture("PNG")), "image/png")


@cache
def avif() -> bytes:
    return make("AVIF")


@cache
def drawn(type: str, content: bytes) -> Drawing | None:
    return DrawingProcesses().draw(type, io.BytesIO(content))


def draw_once(type: str, file: BinaryIO) -> Drawing | None:
    """Draw in a child process, as for every upload, but equal files only once: tests make a thousand casts."""
    file.seek(0)
    return drawn(type, file.read())


class Cast:
    """The people of one application, and the author's message in the den."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.services = services_of(app)
        self.administrator = self._user("alice")  # the first
        self.author, self.member, self.outsider = self._user("bob"), self._user("carol"), self._user("mallory")
        rooms = RoomStore(self.services.database)
        memberships = MembershipStore(self.services.database)
        rooms.ensure(DEN)
        for user in (self.author, self.member):
            memberships.admit(user.id, DEN)
        small, large = squares()
        self.avatar_version = "a" * 16
        AvatarStore(self.services.database).put(self.outsider.id, self.avatar_version, small=small, large=large)
        self.file_id = self._share(avif(), self.author)
        self.message = self.say("a secret", self.author)
        self.other_session = self._begin(self.author)

    def person(self, who: str) -> Person:
        """Somebody of `WHO`, newly signed in."""
        sessions = self.services.people.sessions
        if who == "anonymous":
            return Person()
        if who == "token":
            return Person(token=sessions.create_token(self.member, label="bot"), user=self.member)
        if who == "owner's program":  # with every scope
            return Person(token=sessions.create_token(self._keeper("owner"), label="bot", scopes=SCOPES))
        if who == "ended session":
            person = self._signed_in(self.author)
            self.end(person)
            return person
        if who == "revoked token":
            person = Person(token=sessions.create_token(self.author, label="bot"), user=self.author)
            self.end(person)
            return person
        if who in KEEPERS:
            return self._signed_in(self._keeper(who))
        return self._signed_in(getattr(self, who))

    def _keeper(self, who: str) -> User:
        """Somebody who keeps order in the den, by the den's own role."""
        user = self._user("dave")
        MembershipStore(self.services.database).admit(user.id, DEN)
        member = {"user": user.id, "room": DEN.id}
        self.services.database["memberships"].update_one(member, {"$set": {"role": KEEPERS[who]}})
        return user

    def end(self, person: Person) -> None:
        """Log somebody out everywhere."""
        assert person.user is not None
        assert self.services.people.sessions.end_all(person.user.id)

    def visitor(self, person: Person) -> Visitor:
        """The browser of somebody, with a cookie jar."""
        browser = visitor(self.app)
        if person.cookie:
            browser.set_cookie(NAME, person.cookie)
        return browser

    def say(self, text: str, user: User) -> Message:
        """A message in the den."""
        draft = Draft(author=Author(user.id, user.display_name), text=text, client_id=f"said-{text[:3]}")
        return self.services.messages.store.append(DEN.id, [Rendered(draft, f"<p>{text}</p>")])[0].message

    def _share(self, content: bytes, user: User) -> str:
        """A file in the den."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(self.services.files.processes, "draw", draw_once)
            file = self.services.files.uploads.take(user.id, DEN, "a.png", io.BytesIO(content))
        draft = Draft(author=Author(user.id, user.display_name), text="", client_id="shared")
        draft = self.services.files.of_messages.attach(DEN, draft, [file.id])
        self.services.messages.store.append(DEN.id, [Rendered(draft, "")])
        return file.id

    def report(self) -> str:
        """The member reports something that the author says in the lobby; which report that is."""
        for user in (self.author, self.member):
            access = self.services.rooms.access.get_for(user.id, "lobby")
        author = Author(self.author.id, self.author.display_name)
        said = self.services.messages.writer.post(access.room, new_draft(author, "rude words")).message
        self.services.moderation.reports.make(access, Author(self.member.id, self.member.display_name), said, "rude")
        return self.services.moderation.reports.list_open()[0].id

    def hold(self) -> str:
        """The author is a newcomer, for as long as it takes, and says something in the den; which that is."""
        self.services.moderation.newcomers.set_first(None, 1)
        access = self.services.rooms.access.get_for(self.author.id, DEN.slug)
        author = Author(self.author.id, self.author.display_name)
        held = self.services.moderation.holding.hold(access, new_draft(author, "a secret offer", "offer"))
        assert held
        self.services.moderation.newcomers.set_first(None, 0)
        return held.id

    def _user(self, name: str) -> User:
        return self.services.people.users.add(name, name.title(), hash_of(PASSWORD))

    def _begin(self, user: User) -> str:
        secret = self.services.people.sessions.begin(user, label="a browser", address="192.0.2.1")
        found = self.services.people.sessions.find_valid(secret)
        assert found
        return found[0].id

    def _signed_in(self, user: User) -> Person:
        secret = self.services.people.sessions.begin(user, label="a browser", address="192.0.2.1")
        signer: Any = self.app.session_interface.get_signing_serializer(self.app)  # type: ignore[attr-defined]
        return Person(cookie=signer.dumps({SECRET: secret, "_fresh": True, "_permanent": True}), user=user)


def content_of(kind: str, cast: Cast) -> dict[str, Any]:
    """A frame of this kind, about the den and the message that was said there."""
    more: dict[str, dict[str, Any]] = {
        "post": {"text": "hello", "client_id": "c1"},
        "edit": {"id": cast.message.id, "text": "other words"},
        "delete": {"id": cast.message.id},
        "react": {"id": cast.message.id, "emoji": "🎉"},
        "pin": {"id": cast.message.id},
        "follow": {"after": 0},
        "read": {"sequence": 1},
    }
    return {"type": kind, "room": DEN.slug, **more.get(kind, {})}
