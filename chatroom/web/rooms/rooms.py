"""The pages of rooms: find, make, join and leave them, change them, and see who is in them.

What a person may do is decided by the modules below; a refusal comes back on the page that it was asked on.
"""

from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, flash, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from chatroom.base.access import Access
from chatroom.base.errors import Refused, Unavailable
from chatroom.rooms.rooms import MOST_PEOPLE, PAGE
from chatroom.site.audit import LONGEST_REASON
from chatroom.web.kit.errors import retry_after_of, status_of, with_retry_after
from chatroom.web.kit.login import current_user, login_required
from chatroom.web.kit.security import form_checks_token
from chatroom.web.kit.services import services
from chatroom.web.messages.pages import open_room
from chatroom.web.rooms.forms import InviteForm, NewRoomForm, RoomForm

Page = Response | BaseResponse
blueprint = Blueprint("rooms", __name__)
PLACE_LENGTH = 200
LATEST = 5
"""Entries of the record on the page of the settings; the others have a page of their own."""
ROLES = ("member", "moderator", "administrator")


@blueprint.get("/rooms")
@login_required
def browse() -> Page:
    """The public rooms, by name."""
    place = (request.args.get("after", "")[:PLACE_LENGTH], request.args.get("id", "")[:PLACE_LENGTH])
    found = services.rooms.rooms.list_public(current_user.id, place)
    return _page(
        "rooms/rooms.html",
        200,
        rooms=found,
        next_place=found[-1].place if len(found) == PAGE else None,
        may_create=services.rooms.rooms.may_create(current_user.role),
    )


@blueprint.route("/rooms/new", methods=["GET", "POST"])
@form_checks_token
@login_required
def new() -> Page:
    """Make a room."""
    form = NewRoomForm()
    if request.method != "POST":
        return _page("rooms/rooms_new.html", 200, form=form, msg="")
    if not form.validate():
        return _page("rooms/rooms_new.html", 400, form=form, msg=form.problem)
    try:
        room = services.rooms.rooms.create(
            current_user.author,
            current_user.role,
            title=form.title.data,
            topic=form.topic.data,
            is_private=form.kind.data == "private",
        )
    except (Refused, Unavailable) as error:
        page = _page("rooms/rooms_new.html", status_of(error), form=form, msg=str(error))
        return with_retry_after(page, retry_after_of(error))
    return redirect(url_for("pages.room", slug=room.slug), 303)


@blueprint.post("/rooms/<slug>/join")
@login_required
def join(slug: str) -> Page:
    """Come into a public room."""
    services.site.limits.coming.check(current_user.id)
    room = services.rooms.rooms.join(current_user.author, slug)
    return redirect(url_for("pages.room", slug=room.slug), 303)


@blueprint.route("/rooms/<slug>/settings", methods=["GET", "POST"])
@form_checks_token
@login_required
def settings(slug: str) -> Page:
    """What the room is, who is in it; and for those who manage it, how to change it."""
    access = services.rooms.rooms.get_for(current_user.id, slug) if request.method == "POST" else open_room(slug)
    if request.method != "POST":
        return _settings_page(access)
    form = RoomForm()
    if not form.validate():
        return _settings_page(access, 400, form.problem, form=form)
    wanted = form.wanted
    if wanted.retention_days != access.room.retention_days and not form.confirmed.data:
        older = services.rooms.settings.count_older(access, wanted.retention_days)
        if older:
            return _settings_page(access, 409, form=form, older=older)
    reason = form.reason.data or ""
    return _do(
        access, lambda: services.rooms.settings.change(access, wanted, reason), "The room was changed.", form=form
    )


@blueprint.post("/rooms/<slug>/archive")
@login_required
def archive(slug: str) -> Page:
    """Close the room for writing, or open it again."""
    access = services.rooms.rooms.get_for(current_user.id, slug)
    is_archived = request.form.get("archived") == "yes"
    said = "The room is archived." if is_archived else "The room is open again."
    reason = request.form.get("reason", "")[:LONGEST_REASON]
    return _do(access, lambda: services.rooms.settings.archive(access, is_archived=is_archived, reason=reason), said)


@blueprint.get("/rooms/<slug>/record")
@login_required
def record(slug: str) -> Page:
    """What those who keep order did in the room, for those who manage it."""
    access = services.rooms.rooms.get_for(current_user.id, slug)
    if not access.may_manage:
        raise Refused("forbidden", "Only those who manage this room read its record.")
    page = services.site.audit.page(request.args.get("before", "")[:24], room=access.room.id)
    return _page("export/room_record.html", 200, room=access.room, page=page)


@blueprint.post("/rooms/<slug>/leave")
@login_required
def leave(slug: str) -> Page:
    """Go."""
    access = services.rooms.rooms.get_for(current_user.id, slug)
    try:
        services.rooms.rooms.leave(access)
    except (Refused, Unavailable) as error:
        return _settings_page(access, status_of(error), str(error))
    return redirect(url_for("rooms.browse"), 303)


@blueprint.post("/rooms/<slug>/members")
@login_required
def add_member(slug: str) -> Page:
    """Take somebody in, by user name."""
    access = services.rooms.rooms.get_for(current_user.id, slug)
    typed = request.form.get("username", "")[:64]

    def add() -> None:
        user = services.people.users.find_by_username(typed)
        if user is None:
            raise Refused("not_found", "There is nobody of this user name.")
        services.rooms.rooms.add_member(access, user.id, user.display_name)

    return _do(access, add, "They are a member now.", typed_username=typed)


@blueprint.post("/rooms/<slug>/members/<user_id>/remove")
@login_required
def remove_member(slug: str, user_id: str) -> Page:
    """Take somebody out."""
    access = services.rooms.rooms.get_for(current_user.id, slug)
    return _do(access, lambda: services.rooms.rooms.remove_member(access, user_id), "They are no member any more.")


@blueprint.post("/rooms/<slug>/members/<user_id>/role")
@login_required
def set_role(slug: str, user_id: str) -> Page:
    """Give a member another role."""
    access = services.rooms.rooms.get_for(current_user.id, slug)
    role = next((role for role in ROLES if role == request.form.get("role")), None)

    def change() -> None:
        if role is None:
            raise Refused("invalid", "Choose one of the roles.")
        services.rooms.rooms.set_role(access, user_id, role)  # type: ignore[arg-type]

    return _do(access, change, "The role was changed.")


@blueprint.post("/rooms/<slug>/invites")
@form_checks_token
@login_required
def create_invite(slug: str) -> Page:
    """Make a link into the room, which is shown this once."""
    access = services.rooms.rooms.get_for(current_user.id, slug)
    form = InviteForm()
    if not form.validate():
        return _settings_page(access, 400, form.problem, invite_form=form)
    try:
        code = services.rooms.links.create(access, uses=form.uses.data, hours=form.hours.data)
    except (Refused, Unavailable) as error:
        return _settings_page(access, status_of(error), str(error), invite_form=form)
    return _settings_page(access, link=url_for("rooms.accept", code=code, _external=True))


@blueprint.post("/rooms/<slug>/invites/<invite_id>/end")
@login_required
def end_invite(slug: str, invite_id: str) -> Page:
    """Let nobody in by a link any more."""
    access = services.rooms.rooms.get_for(current_user.id, slug)
    return _do(access, lambda: services.rooms.links.end(access, invite_id), "The link is good no more.")


@blueprint.route("/join/<code>", methods=["GET", "POST"])
@login_required
def accept(code: str) -> Page:
    """Come into a room by a link."""
    if request.method != "POST":
        return _page("rooms/rooms_join.html", 200, room=services.rooms.links.get_room(code), code=code)
    services.site.limits.coming.check(current_user.id)
    room = services.rooms.links.accept(current_user.author, code)
    return redirect(url_for("pages.room", slug=room.slug), 303)


@blueprint.route("/people", methods=["GET", "POST"])
@login_required
def people() -> Page:
    """Find people, and talk to them alone."""
    asked = (request.form if request.method == "POST" else request.args).get("q", "")[:64]
    chosen = request.form.getlist("person")[:MOST_PEOPLE]
    status, msg = 200, ""
    if request.method == "POST":
        try:
            room = services.rooms.rooms.open_direct(
                current_user.author,
                [person[:64] for person in chosen],
                check_new=lambda: services.site.limits.opening.check(current_user.id),
            )
        except (Refused, Unavailable) as error:
            status, msg = status_of(error), str(error)
        else:
            return redirect(url_for("pages.room", slug=room.slug), 303)
    found = [user for user in services.people.users.search(asked) if user.id != current_user.id]
    return _page(
        "rooms/rooms_people.html", status, found=found, chosen=chosen, asked=asked, msg=msg, most=MOST_PEOPLE - 1
    )


def _do(access: Access, deed: Callable[[], object], said: str, **page: Any) -> Page:
    """Do it and go back to the room's settings, or show there why not."""
    try:
        deed()
    except (Refused, Unavailable) as error:
        return with_retry_after(_settings_page(access, status_of(error), str(error), **page), retry_after_of(error))
    flash(said, "success")
    return redirect(url_for("rooms.settings", slug=access.room.slug), 303)


def _settings_page(
    access: Access,
    status: int = 200,
    msg: str = "",
    *,
    form: RoomForm | None = None,
    invite_form: InviteForm | None = None,
    **more: Any,
) -> Response:
    return _page(
        "rooms/room_settings.html",
        status,
        access=access,
        room=access.room,
        form=form or RoomForm.of(access.room),
        invite_form=invite_form or InviteForm(),
        members=services.rooms.rooms.list_members(access),
        invites=services.rooms.links.list_for(access) if access.may_moderate else [],
        entries=services.site.audit.page(room=access.room.id).entries[:LATEST] if access.may_manage else [],
        roles=ROLES,
        msg=msg,
        **{"older": 0, "link": "", "typed_username": "", **more},
    )


def _page(template: str, status: int, **context: Any) -> Response:
    response = make_response(render_template(template, **context))
    response.status_code = status
    return response
