"""The pages for a room's settings, members and record, and the page to clear its history.

Other packages decide what a user may do.
"""

from flask import Response, request

from chatroom.base.access import Access
from chatroom.base.errors import Refused
from chatroom.base.models import Room
from chatroom.erasure.clearing import check_clearing
from chatroom.rooms.fields import badges_of, values_of
from chatroom.rooms.members_store import MEMBERS_PAGE, MOST_COUNTED
from chatroom.site.audit import LONGEST_REASON
from chatroom.web.kit.filters import full_stop
from chatroom.web.kit.login import current_user, get_access, page_blueprint
from chatroom.web.kit.pages import Page, Shown, form_page, redirect_to, refusals_on, render
from chatroom.web.kit.services import services
from chatroom.web.messages.pages import open_room
from chatroom.web.people.cards import SEEN, seen_of
from chatroom.web.rooms.forms import RoomForm

LATEST = 5
"""The number of entries of the record on the settings page."""
LONGEST_NAME = 64
ROLES = ("member", "moderator", "administrator")

blueprint = page_blueprint("room_settings")
clearing = page_blueprint("clearing")


def _settings_page(slug: str, form: RoomForm | None = None, **shown: Shown) -> Response:
    access = get_access(slug) if request.method == "POST" else open_room(slug)
    room = access.room
    return render(
        "rooms/room_settings.html",
        access=access,
        room=room,
        badges=badges_of(room),
        form=form or RoomForm(formdata=None, data=values_of(room)),
        **_count(room),
        entries=services.site.audit.page(room=room.id).entries[:LATEST] if access.may_manage else [],
        typed_username=_typed_name(),
        archive_reason=_archive_reason() if request.endpoint == "room_settings.archive" else "",
        **shown,
    )


@blueprint.route("/rooms/<slug>/settings", methods=["GET", "POST"])
@form_page(_settings_page, RoomForm)
def settings(form: RoomForm, slug: str) -> Page:
    """The settings and members of a room, with forms for its administrators."""
    access, wanted = get_access(slug), form.wanted
    if wanted.retention_days != access.room.retention_days and not form.confirmed.data:
        older = services.erasure.retention.count_older(access, wanted.retention_days)
        if older:
            return _settings_page(slug, form, status=409, older=older)
    services.rooms.settings.change(access, wanted, form.reason.data or "")
    return _changed(access, "The settings were saved.")


@blueprint.get("/rooms/<slug>/members")
def members(slug: str, **shown: Shown) -> Response:
    """The members of a room, by user name. `q`: the beginning of a name; `after`: the user name before the page."""
    access = get_access(slug) if request.method == "POST" else open_room(slug)
    place = _place()
    found = services.rooms.members.list_page(access.room, place.get("q", ""), place.get("after", ""))
    seen = seen_of([member.person.id for member in found[:MEMBERS_PAGE]])
    return render(
        "rooms/members.html",
        seen={user_id: SEEN[step] for user_id, step in seen.items()},
        access=access,
        room=access.room,
        members=found[:MEMBERS_PAGE],
        after=found[MEMBERS_PAGE - 1].person.username if len(found) > MEMBERS_PAGE else None,
        place=place,
        roles=ROLES,
        **_count(access.room),
        **shown,
    )


@blueprint.post("/rooms/<slug>/archive")
@refusals_on(_settings_page)
def archive(slug: str) -> Page:
    """Archive or reopen the room."""
    access = get_access(slug)
    is_archived = request.form.get("archived") == "yes"
    services.rooms.settings.archive(access, is_archived=is_archived, reason=_archive_reason())
    return _changed(access, "The room was archived." if is_archived else "The room was reopened.")


@blueprint.get("/rooms/<slug>/record")
def record(slug: str) -> Page:
    """The record of the room, for its administrators."""
    access = get_access(slug)
    if not access.may_manage:
        raise Refused("forbidden", "Only administrators of this room can read its record.")
    page = services.site.audit.page(request.args.get("before", "")[:24], room=access.room.id)
    return render("export/room_record.html", room=access.room, page=page)


@blueprint.post("/rooms/<slug>/leave")
@refusals_on(_settings_page)
def leave(slug: str) -> Page:
    """Leave the room."""
    access = get_access(slug)
    services.rooms.membership.leave(access)
    return redirect_to("rooms.browse", f"You left {access.room.title}{full_stop(access.room.title)}")


@blueprint.post("/rooms/<slug>/members")
@refusals_on(_settings_page)
def add_member(slug: str) -> Page:
    """Add a member, by user name."""
    access = get_access(slug)
    user = services.people.users.find_by_username(_typed_name())
    if user is None:
        raise Refused("not_found", f"There is no user named {_typed_name()}.")
    services.rooms.membership.add(access, user.id, user.display_name)
    if "in_room" in request.form:  # the form next to a message that mentions this user
        return redirect_to("pages.room", f"{user.display_name} was added.", slug=access.room.slug)
    return _changed(access, "The member was added.")


@blueprint.post("/rooms/<slug>/members/<user_id>/remove")
@refusals_on(members)
def remove_member(slug: str, user_id: str) -> Page:
    """Remove a member."""
    access = get_access(slug)
    services.rooms.membership.remove(access, user_id)
    return redirect_to("room_settings.members", "The member was removed.", slug=slug, **_place())


@blueprint.post("/rooms/<slug>/members/<user_id>/role")
@refusals_on(members)
def set_role(slug: str, user_id: str) -> Page:
    """Change the role of a member."""
    access = get_access(slug)
    role = request.form.get("role")
    if role not in ROLES:
        raise Refused("invalid", "Choose a role.")
    services.rooms.membership.set_role(access, user_id, role)  # type: ignore[arg-type]
    return redirect_to("room_settings.members", "The role was changed.", slug=slug, **_place())


@clearing.get("/chatroom/<slug>/clear", endpoint="form")
def clearing_form(slug: str, **shown: Shown) -> Response:
    """The page with the form to clear the room's history."""
    return render("rooms/clear.html", room=_enter_to_clear(slug).room, typed=_typed_to_clear(), **shown)


@clearing.post("/chatroom/<slug>/clear")
@refusals_on(clearing_form)
def clear(slug: str) -> Page:
    """Hide the room's messages at once. A background thread erases them later."""
    access, typed = _enter_to_clear(slug), _typed_to_clear()
    services.erasure.clearing.clear(access, current_user.author, typed["title"], typed["reason"])
    return redirect_to("pages.room", slug=access.room.slug)


def _count(room: Room) -> dict[str, int]:
    return {"count": services.rooms.members.count(room), "most_counted": MOST_COUNTED}


def _typed_name() -> str:
    return request.form.get("username", "")[:LONGEST_NAME]


def _place() -> dict[str, str]:
    """The part of the list of members that this request is about."""
    return {name: request.args[name][:LONGEST_NAME] for name in ("q", "after") if request.args.get(name)}


def _archive_reason() -> str:
    return request.form.get("reason", "")[:LONGEST_REASON]


def _changed(access: Access, said: str) -> Page:
    return redirect_to("room_settings.settings", said, slug=access.room.slug)


def _enter_to_clear(slug: str) -> Access:
    access = get_access(slug)
    check_clearing(access)
    return access


def _typed_to_clear() -> dict[str, str]:
    return {"title": request.form.get("title", "")[:200], "reason": request.form.get("reason", "")[:500]}
