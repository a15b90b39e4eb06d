"""The tabs about a room, without the one that makes links.

Other packages decide what a user may do.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from flask import Response, request

from chatroom.base.access import POWERS, Access
from chatroom.base.errors import Refused
from chatroom.base.models import Role
from chatroom.rooms.fields import SETTINGS, values_of
from chatroom.rooms.members_store import MEMBERS_PAGE, Member
from chatroom.web.kit.filters import full_stop
from chatroom.web.kit.login import current_user, get_access, get_called, page_blueprint
from chatroom.web.kit.pages import Page, Shown, form_page, redirect_to, refusals_on
from chatroom.web.kit.services import services
from chatroom.web.messages.pages import open_room
from chatroom.web.people.cards import SEEN, seen_of
from chatroom.web.rooms.forms import ArchiveForm, GeneralForm, HandOverForm, MemberForm, RulesForm
from chatroom.web.rooms.tabs import check_managing, show_tab

LONGEST_NAME = 64
ROLES: tuple[Role, ...] = ("member", "moderator", "administrator")


class Lowered(NamedTuple):
    """A member who is about to lose the role `before`."""

    id: str
    name: str
    before: Role


blueprint = page_blueprint("room_settings")


@blueprint.app_template_global("must_hand_over")
def must_hand_over(access: Access) -> bool:
    """Whether the reader must hand the room over before leaving it."""
    return services.rooms.membership.must_hand_over(access)


@blueprint.get("/rooms/<slug>/settings")
def settings(slug: str) -> Page:
    """The former address of all tabs."""
    access = open_room(slug)
    return redirect_to("room_settings.general" if access.may_manage else "room_settings.about", slug=access.room.slug)


@blueprint.get("/rooms/<slug>/about")
def about(slug: str, **shown: Shown) -> Response:
    """What a room is, for everybody who may read it."""
    access = get_access(slug) if request.method == "POST" else open_room(slug)
    rules = [setting.rule(value) for name, setting in SETTINGS.items() if (value := getattr(access.room, name))]
    return show_tab("about", access, rules=rules, **shown)


@blueprint.post("/rooms/<slug>/leave")
@refusals_on(about)
def leave(slug: str) -> Page:
    """Leave the room."""
    access = get_access(slug)
    services.rooms.membership.leave(access)
    return redirect_to("rooms.browse", f"You left {access.room.title}{full_stop(access.room.title)}")


@blueprint.get("/rooms/<slug>/members")
def members(slug: str, form: MemberForm | None = None, **shown: Shown) -> Response:
    """The members of a room, by user name. `q`: the beginning of a name; `after`: the user name before the page."""
    access = get_access(slug) if request.method == "POST" else open_room(slug)
    place = _place()
    found = services.rooms.members.list_page(access.room, place.get("q", ""), place.get("after", ""))
    seen = seen_of([member.person.id for member in found[:MEMBERS_PAGE]]) | {current_user.id: "here"}
    return show_tab(
        "members",
        access,
        members=found[:MEMBERS_PAGE],
        removable={each.person.id for each in found if _may_remove(access, each)},
        after=found[MEMBERS_PAGE - 1].person.username if len(found) > MEMBERS_PAGE else None,
        place=place,
        roles=ROLES,
        wanted=request.form,
        seen={user_id: SEEN[step] for user_id, step in seen.items()},
        form=form or MemberForm(formdata=None),
        **shown,
    )


@blueprint.post("/rooms/<slug>/members")
@form_page(members, MemberForm)
def add_member(form: MemberForm, slug: str) -> Page:
    """Add a member, by user name or display name."""
    access, user = get_access(slug), get_called(form.username.data)
    is_new = services.rooms.membership.add(access, user.id, user.display_name)
    said = f"{user.display_name} was added." if is_new else f"{user.display_name} is already a member."
    is_in_room = "in_room" in request.form  # the form next to a message that mentions this user
    return redirect_to("pages.room" if is_in_room else "room_settings.members", said, slug=access.room.slug)


@blueprint.post("/rooms/<slug>/roles")
@refusals_on(members)
def set_roles(slug: str) -> Page:
    """Change the roles of the members whose role is another than the page showed. The page asks before it takes one."""
    access = check_managing(get_access(slug))
    changed = _changed_roles()
    lowered = _lowered_roles(changed)
    if request.form.get("confirmed", "") != " ".join(each.id for each in lowered):
        return members(slug, status=409, lowered=lowered)
    for user_id, role in changed:
        services.rooms.membership.set_role(access, user_id, role)
    return redirect_to("room_settings.members", "The roles were saved.", slug=slug, **_place())


@blueprint.post("/rooms/<slug>/members/<user_id>/remove")
@refusals_on(members)
def remove_member(slug: str, user_id: str) -> Page:
    """Remove a member. The page asks first."""
    access, user = get_access(slug), services.people.users.find(user_id)
    if request.form.get("confirmed") != user_id and services.rooms.membership.has_other(access, user_id):
        services.rooms.membership.check_over(access, user_id)
        return members(slug, status=409, leaving=user)
    services.rooms.membership.remove(access, user_id)
    said = f"{user.display_name if user else 'The former member'} was removed."
    return redirect_to("room_settings.members", said, slug=slug, **_place())


def _form_tab(name: str, kind: type[GeneralForm | RulesForm]) -> Callable[..., Response]:
    """Return the function that shows a tab with a form of the room's values."""

    def show(slug: str, form: GeneralForm | RulesForm | None = None, **shown: Shown) -> Response:
        access = check_managing(get_access(slug))
        form = form or kind(formdata=None, data=values_of(access.room))
        return show_tab(name, access, form=form, **shown)

    return show


_general, _rules = _form_tab("general", GeneralForm), _form_tab("rules", RulesForm)


@blueprint.route("/rooms/<slug>/general", methods=["GET", "POST"])
@form_page(_general, GeneralForm)
def general(form: GeneralForm, slug: str) -> Page:
    """The name and topic of a room."""
    access = get_access(slug)
    services.rooms.settings.change(access, form.wanted(access.room), form.reason.data or "")
    return redirect_to("room_settings.general", "The settings were saved.", slug=access.room.slug)


@blueprint.route("/rooms/<slug>/rules", methods=["GET", "POST"])
@form_page(_rules, RulesForm)
def rules(form: RulesForm, slug: str) -> Page:
    """Who may post, how often, and how long messages are kept."""
    access = get_access(slug)
    wanted = form.wanted(access.room)
    if wanted.retention_days != access.room.retention_days and not form.confirmed.data:
        older = services.erasure.retention.count_older(access, wanted.retention_days)
        if older:
            return _rules(slug, form, status=409, older=older)
    services.rooms.settings.change(access, wanted, form.reason.data or "")
    return redirect_to("room_settings.rules", "The rules were saved.", slug=access.room.slug)


@blueprint.get("/rooms/<slug>/record")
def record(slug: str) -> Page:
    """What the moderators and administrators of the room did."""
    access = check_managing(get_access(slug), "Only administrators of this room can read its record.")
    page = services.site.audit.page(request.args.get("before", "")[:24], room=access.room.id)
    return show_tab("record", access, page=page)


@blueprint.get("/rooms/<slug>/danger")
def danger(slug: str, form: ArchiveForm | HandOverForm | None = None, **shown: Shown) -> Response:
    """The forms to hand the room over, and to archive it; the link to clear its history."""
    return show_tab(
        "danger",
        check_managing(get_access(slug)),
        archive_form=form if isinstance(form, ArchiveForm) else ArchiveForm(formdata=None),
        heir_form=form if isinstance(form, HandOverForm) else HandOverForm(formdata=None),
        **shown,
    )


@blueprint.post("/rooms/<slug>/archive")
@form_page(danger, ArchiveForm)
def archive(form: ArchiveForm, slug: str) -> Page:
    """Archive or reopen the room."""
    access, is_archived = get_access(slug), form.archived.data == "yes"
    services.rooms.settings.archive(access, is_archived=is_archived, reason=form.reason.data or "")
    said = "The room was archived." if is_archived else "The room was reopened."
    return redirect_to("room_settings.danger", said, slug=access.room.slug, undo=1 if is_archived else None)


@blueprint.post("/rooms/<slug>/hand-over")
@form_page(danger, HandOverForm)
def hand_over(form: HandOverForm, slug: str) -> Page:
    """Make another member the administrator in place of this one. The page asks first."""
    access, heir = check_managing(get_access(slug)), get_called(form.username.data)
    if form.confirmed.data != heir.id and services.rooms.membership.has_other(access, heir.id):
        return danger(slug, form, status=409, heir=heir)
    services.rooms.membership.hand_over(access, heir.id)
    return redirect_to("room_settings.about", f"{heir.display_name} manages this room now.", slug=access.room.slug)


def _may_remove(access: Access, member: Member) -> bool:
    is_other = member.person.id != access.user_id
    return is_other and access.may_moderate and access.outranks(member.role, member.site_role)


def _place() -> dict[str, str]:
    """The part of the list of members that this request is about."""
    return {name: request.args[name][:LONGEST_NAME] for name in ("q", "after") if request.args.get(name)}


def _changed_roles() -> list[tuple[str, Role]]:
    """The roles that were chosen, higher roles first: a private room always has an administrator."""
    typed = request.form
    changed: list[tuple[str, Role]] = []
    for name in typed:
        kind, _, user_id = name.partition("-")
        if kind == "role" and typed[name] != typed.get(f"was-{user_id}"):
            role = next((each for each in ROLES if each == typed[name]), None)
            if role is None:
                raise Refused("invalid", "Choose a role.")
            changed.append((user_id, role))
    return sorted(changed[:MEMBERS_PAGE], key=lambda each: -POWERS[each[1]])


def _lowered_roles(changed: Sequence[tuple[str, Role]]) -> list[Lowered]:
    """The members who lose rights, by the roles that the page showed."""
    lowered = []
    for user_id, role in changed:
        before = next((each for each in ROLES if each == request.form.get(f"was-{user_id}")), ROLES[0])
        if POWERS[role] < POWERS[before]:
            user = services.people.users.find(user_id)
            lowered.append(Lowered(user_id, user.display_name if user else "A former member", before))
    return lowered
