"""Rooms as their members see them.

Nobody gets a room who is not a member of it. A public room makes members of those who open its page or join it, and
never of who was removed; nobody becomes one by posting.
"""

import hashlib
import logging
import secrets
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import msgspec

from chatroom.base.access import POWERS, Access
from chatroom.base.errors import ChatroomError, Refused
from chatroom.base.models import Author, Notify, Person, Role, Room, RoomEntry
from chatroom.messages.writer import Writer
from chatroom.names import LOBBY_SLUG, check_new_title, fold, make_slug
from chatroom.rooms.listings_store import ListingStore, title_for
from chatroom.rooms.members_store import Member, MemberStore
from chatroom.rooms.rooms_store import RoomStore
from chatroom.site.acts import Acts
from chatroom.site.acts_store import Note
from chatroom.site.audit import about_room
from chatroom.site.audit_store import Subject
from chatroom.site.notices import Notice, Notices

log = logging.getLogger(__name__)

LOBBY = Room(id="lobby", slug=LOBBY_SLUG, title="Lobby")
MOST_NAMED = 10
TRIES = 5
PAGE = 50
MOST_PEOPLE = 8
"""In a direct room, oneself among them."""


class PublicRoom(msgspec.Struct, frozen=True, kw_only=True):
    """A public room in the list of all; `place` is where the list goes on after it."""

    room: Room
    is_member: bool
    place: tuple[str, str]


class Rooms:
    """Find rooms for people, make them, come and go."""

    def __init__(
        self,
        store: RoomStore,
        members: MemberStore,
        listings: ListingStore,
        writer: Writer,
        notices: Notices,
        *,
        acts: Acts,
        max_per_user: int = 0,
        only_administrators_create: bool = False,
        check_making: Callable[[str], None] = lambda _user_id: None,
        check_direct: Callable[[str, Sequence[str]], None] = lambda _user_id, _others: None,
    ) -> None:
        self._store = store
        self._members = members
        self._listings = listings
        self._writer = writer
        self._notices = notices
        self._acts = acts
        self._max_per_user = max_per_user
        self._only_administrators_create = only_administrators_create
        self._check_making = check_making
        self._check_direct = check_direct

    def set_preference(self, access: Access, notify: Notify) -> None:
        """Change what a member wants to be told of in a room."""
        self._store.set_wish(access.user_id, access.room.id, notify)

    def preferences_in(self, room_id: str, user_ids: Collection[str]) -> Mapping[str, Notify]:
        """What those of these users who are members want to be told of in a room."""
        return self._store.preferences(room_id, user_ids)

    def ensure_lobby(self) -> None:
        """Create the room that everybody is in."""
        self._store.ensure(LOBBY)

    def list_for(self, user_id: str) -> list[RoomEntry]:
        """The rooms that a user is in, by title, each with what they have not read in it."""
        return sorted(self._listings.list_for(user_id), key=lambda entry: (entry.title.casefold(), entry.room.id))

    def list_public(self, user_id: str, after: tuple[str, str] = ("", "")) -> list[PublicRoom]:
        """A page of the public rooms, by title, from a place on."""
        found = self._store.list_public(after, PAGE)
        mine = self._store.find_memberships(user_id, [room.id for room, _ in found])
        return [PublicRoom(room=room, is_member=room.id in mine, place=place) for room, place in found]

    def find(self, room_id: str) -> Room | None:
        """The room as it is now, by its id: for the engine, not for people."""
        return self._store.find(room_id)

    def find_by_slug(self, slug: str) -> Room | None:
        """The room of that name, for the person at the console."""
        return self._store.find_by_slug(slug)

    def find_for(self, user_id: str, slug: str) -> Access | None:
        """The room of that name, for somebody who is a member already; nobody becomes one by this."""
        access = self._store.find_access(user_id, slug)
        if access is not None and access.room.kind == "direct":
            title = title_for(user_id, access.room, self._listings.people_of(access.room))
            return msgspec.structs.replace(access, room=msgspec.structs.replace(access.room, title=title))
        return access

    def people_like(self, access: Access, beginning: str) -> list[Person]:
        """Some who can be named in a room, and whose user name or display name begins like this."""
        return self._store.people_like(access.room, fold(beginning.strip()), MOST_NAMED)

    def get_for(self, user_id: str, slug: str) -> Access:
        """The room of that name, for a member; anybody is one of the lobby who was not removed.

        Anybody else is told that there is none, whether it exists or not; of a public room, that they can join it.
        """
        access = self.find_for(user_id, slug)
        if access is not None:
            return access
        room = self._store.find_public(slug)
        if room is None or self._members.was_removed(user_id, room):
            raise _no_such_room()
        if room.id != LOBBY.id:
            raise Refused("forbidden", "You are not a member of this room. Join it first: open its page.")
        self._store.admit(user_id, room)
        return self._get(user_id, slug)

    def visit(self, user_id: str, slug: str, check_return: Callable[[], None] = lambda: None) -> Access:
        """The same for who opens the room's page: a public room makes them a member; `check_return`, if they left it.

        Administrators of the site reach every public room, whoever removed them.
        """
        access = self.find_for(user_id, slug)
        if access is not None:
            return access
        room = self._get_open(user_id, slug)
        if self._members.has_left(user_id, room):
            check_return()
        self._admit(user_id, room)
        if room.id != LOBBY.id:
            self._notices.tell(Notice(kind="rooms", user=user_id))
        return self._get(user_id, slug)

    def may_create(self, site_role: Role) -> bool:
        """Whether somebody may make rooms here."""
        return site_role == "administrator" or not self._only_administrators_create

    def create(self, author: Author, site_role: Role, *, title: str, topic: str = "", is_private: bool = False) -> Room:
        """Make a room; its maker is its administrator. Raises `Refused` (`forbidden`, `too_many_rooms`)."""
        if not self.may_create(site_role):
            raise Refused("forbidden", "Only administrators make rooms here.")
        self.check_title(title, is_public=not is_private)
        self._check_making(author.id)
        if 0 < self._max_per_user <= self._store.count_made_by(author.id, self._max_per_user):
            raise Refused("too_many_rooms", f"You have made {self._max_per_user} rooms, which is as many as one may.")
        for attempt in range(TRIES):
            # What a private room is called must not show in which names are taken.
            room = Room(
                id=secrets.token_hex(12),
                slug=make_slug(title, is_ended=is_private or attempt > 0),
                title=title,
                kind="private" if is_private else "public",
                topic=topic,
            )
            if self._store.add(room, author.id):
                self._tell_membership(author.id, room)
                return room
        raise _taken()

    def check_title(self, title: str, *, is_public: bool, room_id: str = "") -> None:
        """Raise `Refused` (`invalid`, `taken`) for a title that is, or looks like, one that a room cannot get.

        What private rooms are called is told to nobody, so that they take no name away.
        """
        if room_id != LOBBY.id:
            check_new_title(title)
        if is_public and self._store.has_title(title, but=room_id):
            raise _taken()

    def open_direct(
        self, author: Author, others: Sequence[str], *, check_new: Callable[[], None] = lambda: None
    ) -> Room:
        """The direct room of these people, made on the first occasion, unless `check_new` refuses.

        Raises `Refused` (`invalid`, `not_found`).
        """
        people = tuple(sorted({author.id, *others}))
        if not 2 <= len(people) <= MOST_PEOPLE:
            raise Refused("invalid", f"Choose one to {MOST_PEOPLE - 1} people to talk to.")
        key = hashlib.sha256(",".join(people).encode()).hexdigest()
        room_id = f"direct-{key[:32]}"
        found = self._store.find_direct(room_id, people)
        if found is not None and self._members.find_role(author.id, found) is not None:
            return found
        if self._listings.count_here(people) < len(people):
            raise Refused("not_found", "There is nobody of that name.")
        self._check_direct(author.id, others)
        check_new()
        room = self._store.add_direct(room_id, people)
        for person in people:
            self._tell_membership(person, room)
        return room

    def join(self, author: Author, slug: str) -> Room:
        """Come into a public room by hand."""
        room = self._get_open(author.id, slug)
        if self._members.find_role(author.id, room) is None:
            self.let_in(author, room)
        return room

    def let_in(self, author: Author, room: Room) -> None:
        """Make somebody a member, and say so in the room."""
        self._admit(author.id, room)
        self._tell_membership(author.id, room)
        self.note(room, author, "joined")

    def leave(self, access: Access) -> None:
        """Go; raise `Refused` (`forbidden`) where that cannot be."""
        room = access.room
        if room.id == LOBBY.id:
            raise Refused("forbidden", "Everybody is in the lobby.")
        if room.kind == "direct":
            raise Refused("forbidden", "A direct conversation cannot be left. You can turn its notifications off.")
        if (
            room.kind == "private"
            and access.may_manage
            and not self._members.has_another_administrator(access.user_id, room)
            and self._members.has_others(access.user_id, room)
        ):
            raise _nobody_else()
        self._members.leave(access.user_id, room)
        if access.may_manage and self._members.has_others(access.user_id, room):
            self._keep_managed(room, access.user_id)
        self._tell_membership(access.user_id, room, why="left")
        if room.kind == "private":
            self.note(room, access.author, "left")

    def list_members(self, access: Access) -> list[Member]:
        """Who is in the room, by name."""
        return self._members.list_in(access.room)

    def add_member(self, access: Access, user_id: str, name: str) -> bool:
        """Take somebody into a private room, or forgive who was removed; False when they are in it already."""
        _check(access.may_moderate)
        room = access.room
        if self._members.find_role(user_id, room) is not None:
            return False

        def add(note: Note) -> None:
            if not self._members.forgive(user_id, room, note):
                self._store.admit(user_id, room, note)

        self._do(access, add, "add_member", user_id, tell=_of_membership(user_id, room))
        self.note(room, access.author, f"added {name}")
        return True

    def remove_member(self, access: Access, user_id: str) -> None:
        """Take somebody out of the room, also who has just left it; nobody who is as powerful there.

        Who was removed already is once more told so, and it is noted once.
        """
        room = access.room
        _check(access.may_moderate)
        if user_id == access.user_id:
            raise Refused("invalid", "To go yourself, leave the room.")
        if not self._members.was_ever_in(user_id, room):
            raise Refused("not_found", "They are not a member of this room.")
        self.check_over(access, user_id)
        # In the write itself: somebody may have made them more at this moment.
        above: list[Role] = [role for role in POWERS if not access.outranks(role, "member")]
        if not self._do(
            access,
            lambda note: self._members.remove(user_id, room, note, but=above),
            "remove_member",
            user_id,
            tell=_of_membership(user_id, room),
        ):
            _check(self._members.was_removed(user_id, room))
            self._acts.finish_in("memberships")

    def set_role(self, access: Access, user_id: str, role: Role) -> None:
        """Give a member another role in the room."""
        _check(access.may_manage)
        room = access.room
        before = self._members.find_role(user_id, room)
        if before is None:
            raise Refused("not_found", "They are not a member of this room.")
        if before == role:
            self._acts.finish_in("memberships")
            return
        if user_id == access.user_id and not self._members.has_another_administrator(user_id, room):
            raise _nobody_else()

        def give(note: Note) -> bool:
            is_given = self._members.set_role(user_id, room, role, note)
            if before == "administrator":
                self._keep_managed(room, user_id, note)
            return is_given

        self._do(access, give, "set_room_role", user_id, {"role": role}, tell=[_of_access(user_id, room)])

    def knows(self, user_id: str, room: Room) -> bool:
        """Whether somebody is, or was, in the room."""
        return self._members.was_ever_in(user_id, room)

    def give_role(self, room: Room, user_id: str, role: Role, note: Note | None = None) -> bool:
        """Give a member another role, whoever decided it; False for who is none. They are told by whoever calls."""
        return self._members.set_role(user_id, room, role, note)

    def check_over(self, access: Access, user_id: str) -> None:
        """Raise `Refused` (`forbidden`) unless they may act on this person in this room: the one place that knows."""
        role = self._members.find_role(user_id, access.room) or "member"
        if not access.may_moderate or not access.outranks(role, self._members.site_role_of(user_id)):
            raise Refused("forbidden", "You may not do this to them in this room: they keep order themselves.")

    def note(self, room: Room, author: Author, what: str) -> None:
        """Have the room say what somebody did. It has been done: a line that cannot be written now is left out."""
        try:
            self._writer.note(room, author, f"{author.name} {what}")
        except ChatroomError:
            log.warning("an event was not written", extra={"room": room.slug})

    def _get(self, user_id: str, slug: str) -> Access:
        access = self.find_for(user_id, slug)
        if access is None:  # removed, at this very moment or before
            raise _no_such_room()
        return access

    def _get_open(self, user_id: str, slug: str) -> Room:
        """A public room that somebody may come into."""
        room = self._store.find_public(slug)
        if room is None or (self._members.was_removed(user_id, room) and not self._is_site_administrator(user_id)):
            raise _no_such_room()
        return room

    def _admit(self, user_id: str, room: Room) -> None:
        if room.kind == "public" and self._members.was_removed(user_id, room) and self._is_site_administrator(user_id):
            self._members.forgive(user_id, room)
        self._store.admit(user_id, room)

    def _is_site_administrator(self, user_id: str) -> bool:
        return self._members.site_role_of(user_id) == "administrator"

    def _keep_managed(self, room: Room, user_id: str, note: Note | None = None) -> None:
        """Give a private room its administrator back where two have just taken the role from each other, or both went.

        Whoever looks last does so: the look sees every write that was acknowledged before it.
        """
        if room.kind == "private" and not self._members.has_another_administrator("", room):
            self._members.take_back(user_id, room, "administrator", note)
            raise _nobody_else()

    def _do(
        self,
        access: Access,
        cut: Callable[[Note], object],
        act: str,
        user_id: str,
        details: Mapping[str, Any] | None = None,
        *,
        tell: Sequence[Notice],
    ) -> bool:
        subject = Subject("user", user_id, self._members.username_of(user_id))
        return self._acts.do(
            "memberships",
            cut,
            access.author,
            act,
            subject,
            details=details or {},
            room=about_room(access.room),
            tell=tell,
        )

    def _tell_membership(self, user_id: str, room: Room, why: str = "removed") -> None:
        for notice in _of_membership(user_id, room, why):
            self._notices.tell(notice)


def _of_access(user_id: str, room: Room) -> Notice:
    return Notice(kind="access", user=user_id, room=room.id)


def _of_membership(user_id: str, room: Room, why: str = "removed") -> tuple[Notice, Notice]:
    is_in = Notice(kind="access", user=user_id, room=room.id, data={"why": why})
    return is_in, Notice(kind="rooms", user=user_id)


def _check(is_allowed: bool) -> None:
    if not is_allowed:
        raise Refused("forbidden", "You may not do this in this room.")


def _nobody_else() -> Refused:
    return Refused("forbidden", "Nobody else manages this room: make somebody its administrator first.")


def _taken() -> Refused:
    return Refused("taken", "A public room is called so, or so that it looks the same. Please choose another name.")


def _no_such_room() -> Refused:
    return Refused("not_found", "There is no such room, or you are not a member of it.")
