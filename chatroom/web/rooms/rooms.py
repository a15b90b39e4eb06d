"""The pages to find, create and join rooms, and to start direct conversations.

Other packages decide what a user may do.
"""

import re
from collections.abc import Iterable

import msgspec
from flask import Response, redirect, request, url_for

from chatroom.base.errors import Refused
from chatroom.base.models import Person, Room, RoomEntry
from chatroom.names import LOBBY_SLUG, is_former_direct
from chatroom.rooms.arrangement import Arrangement
from chatroom.rooms.direct import MOST_PEOPLE
from chatroom.rooms.listings_store import MOST_SHOWN, MOST_UNREAD, PAGE
from chatroom.web.kit.login import current_user, get_access, get_named, page_blueprint
from chatroom.web.kit.pages import Page, Shown, form_page, redirect_to, refusals_on, render
from chatroom.web.kit.services import services
from chatroom.web.rooms.forms import NewRoomForm
from chatroom.web.rooms.notifying import after_mute

PLACE_LENGTH = 200
LONGEST_NAMES = 600
"""The longest text with the user names for a new conversation."""

blueprint = page_blueprint("rooms")


CHANGES = {
    "star": Arrangement(is_starred=True),
    "unstar": Arrangement(is_starred=False),
    "mute": Arrangement(notify="none"),
    "hide": Arrangement(is_hidden=True),
    "show": Arrangement(is_hidden=False),
}
"""The values of the buttons that change how a member lists a room."""
UNMUTE = "unmute"
"""The value of the button that ends a mute or a pause. What notifies then depends on the choice before a pause."""


class Section(msgspec.Struct, frozen=True):
    """A part of the room list. Its order does not depend on what is unread, so rooms keep their places."""

    name: str
    title: str
    entries: list[RoomEntry]


@blueprint.get("/rooms")
def browse() -> Page:
    """The public rooms, by name."""
    place = (request.args.get("after", "")[:PLACE_LENGTH], request.args.get("id", "")[:PLACE_LENGTH])
    found = services.rooms.listings.list_public(current_user.id, place)
    return render(
        "rooms/rooms.html",
        rooms=found,
        next_place=found[-1].place if len(found) == PAGE else None,
        most_shown=MOST_SHOWN,
        may_create=services.rooms.making.may_create(current_user.role),
    )


def _new_page(form: NewRoomForm | None = None, **shown: Shown) -> Response:
    return render("rooms/rooms_new.html", form=form or NewRoomForm(), **shown)


@blueprint.route("/rooms/new", methods=["GET", "POST"])
@form_page(_new_page, NewRoomForm)
def new(form: NewRoomForm) -> Page:
    """Create a room."""
    room = services.rooms.making.create(
        current_user.author,
        current_user.role,
        title=form.title.data,
        topic=form.topic.data,
        is_private=form.kind.data == "private",
    )
    return redirect_to("pages.room", slug=room.slug)


@blueprint.post("/rooms/<slug>/join")
def join(slug: str) -> Page:
    """Join a public room."""
    services.site.limits.coming.check(current_user.id)
    room = services.rooms.membership.join(current_user.author, slug)
    return redirect_to("pages.room", slug=room.slug)


@blueprint.get("/rooms/<slug>/arrange")
def arranging(slug: str, **shown: Shown) -> Response:
    """The page to star, mute or hide a room, for browsers without scripts."""
    access = get_access(slug)
    title = services.rooms.listings.title_of(access.user_id, access.room)
    return render(
        "rooms/arrange.html",
        room=access.room,
        membership=access.membership,
        unmuted=after_mute(access.membership),
        title=title,
        **shown,
    )


@blueprint.post("/rooms/<slug>/arrange")
@refusals_on(arranging)
def arrange(slug: str) -> Page:
    """Star, mute or hide a room, or undo one of these, and return to the room that was open."""
    access, asked = get_access(slug), request.form.get("change", "")
    change = Arrangement(notify=after_mute(access.membership)) if asked == UNMUTE else CHANGES.get(asked)
    if change is None:
        raise Refused("invalid", "Choose one of the buttons.")
    services.rooms.arrangement.change(access, change)
    return redirect_to("pages.index")


@blueprint.get("/people")
def people(**shown: Shown) -> Response:
    """Choose the people of a new conversation."""
    asked = request.values.get("q", "")[:64]
    return render(
        "rooms/rooms_people.html",
        found=[user for user in services.people.directory.search(asked) if user.id != current_user.id],
        chosen=_chosen(),
        asked=asked,
        most=MOST_PEOPLE - 1,
        typed_names=request.values.get("names", "")[:LONGEST_NAMES],
        longest=LONGEST_NAMES,
        lobby=LOBBY_SLUG,
        **shown,
    )


@blueprint.post("/people")
@refusals_on(people)
def open_direct() -> Page:
    """Open the direct conversation with the chosen people."""
    named = [_find(name) for name in names_in(request.form.get("names", "")[:LONGEST_NAMES])]
    room = services.rooms.direct.open(
        current_user.author,
        [*named, *_chosen()],
        check_new=lambda: services.site.limits.opening.check(current_user.id),
    )
    return redirect_to("pages.room", slug=room.slug)


def names_in(text: str) -> list[str]:
    """Return the user names in a text, at most one more than a conversation can have.

    static/state/rooms/recipients.js reads a text in the same way.
    """
    names = (name.removeprefix("@") for name in re.split(r"[,;\s]+", text))
    return list(dict.fromkeys(name for name in names if name))[:MOST_PEOPLE]


def _find(username: str) -> str:
    """Return the id of an account. Raises `Refused` if nobody has this user name, or if it is the user's own."""
    user = get_named(username)
    if user.id == current_user.id:
        raise Refused("invalid", "You are in the conversation already. Leave your own name out.")
    return user.id


def _chosen() -> list[str]:
    return [person[:64] for person in request.form.getlist("person")[:MOST_PEOPLE]]


@blueprint.before_app_request
def redirect_from_former() -> Page | None:
    """Redirect members of a direct conversation from its former address to its new address. Others get a 404.

    Forms and the API accept both addresses.
    """
    given = request.view_args or {}
    slug = given.get("slug", "")
    if request.method not in {"GET", "HEAD"} or not is_former_direct(slug) or request.path.startswith("/api/"):
        return None
    services.prepare()
    access = services.rooms.access.find_for(current_user.id, slug) if current_user.is_authenticated else None
    if access is None or access.room.slug == slug:
        return None
    address = url_for(request.endpoint or "", **{**given, "slug": access.room.slug})
    query = request.query_string.decode(errors="replace")
    return redirect(f"{address}?{query}" if query else address, 308)


def sections_for(user_id: str) -> list[Section]:
    """A user's rooms and direct conversations, with their unread counts. `Rooms` in static/state/rooms/rooms.js
    makes the same sections."""
    entries = services.rooms.listings.list_for(user_id)  # sorted by title
    entries.sort(key=lambda entry: entry.room.archived_at is not None)
    starred = [entry for entry in entries if entry.membership.is_starred]
    others = [entry for entry in entries if not entry.membership.is_starred]
    direct = [entry for entry in others if entry.room.kind == "direct"]
    return [
        Section("starred", "Starred", starred),
        Section("rooms", "Rooms", [entry for entry in others if entry.room.kind != "direct"]),
        Section("direct", "Direct messages", sorted(direct, key=_place_of_direct, reverse=True)),
    ]


def partner_in(sections: Iterable[Section], room: Room) -> Person | None:
    """The other person of a direct conversation of two, as the list of rooms shows the person."""
    entries = (entry for section in sections for entry in section.entries if entry.room.id == room.id)
    return next((entry.people[0] for entry in entries if len(entry.people) == 1), None)


def badge(count: int) -> str:
    """The text of a badge. `shorten` in static/state/rooms/rooms.js makes the same text."""
    return f"{MOST_UNREAD - 1}+" if count >= MOST_UNREAD else str(count)


def _place_of_direct(entry: RoomEntry) -> str:
    """The newest is first. An open conversation without a message is above it."""
    return entry.newest or "z"
