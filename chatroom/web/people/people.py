"""User pages, with the acts of moderators and administrators.

`Moderation` decides who may do what; the page shows only what is allowed.
"""

from datetime import UTC, datetime
from typing import cast, get_args

from flask import Blueprint, Response, flash, redirect, request, url_for

from chatroom.base.access import Access
from chatroom.base.durations import end_of, until
from chatroom.base.errors import Refused
from chatroom.base.models import Role, User
from chatroom.people.profiles import local_time
from chatroom.site.authority import has_power
from chatroom.web.kit.forms import RULES
from chatroom.web.kit.login import client_address, current_user, login_required
from chatroom.web.kit.pages import Page, form_page, refusals_on, render
from chatroom.web.kit.services import services
from chatroom.web.moderation.forms import OrderForm
from chatroom.web.people.forms import ProfileForm

DONE = {
    "mute": "The user is muted.",
    "unmute": "The user can post again.",
    "ban": "The user is banned and was logged out everywhere.",
    "unban": "The user can log in again.",
    "end_sessions": "The user was logged out everywhere.",
}

blueprint = Blueprint("people", __name__)


def _person_page(user_id: str, status: int = 200, msg: str = "", *, link: str = "") -> Response:
    user = services.moderation.moderation.get(user_id)
    now = datetime.now(UTC)
    by = current_user.user
    room = _room_of(request.values.get("room", ""))
    theirs = services.rooms.access.find_for(user.id, room.room.slug) if room and room.may_moderate else None
    return render(
        "people/person.html",
        status,
        person=user,
        local_time=local_time(user, now),
        form=OrderForm(),
        msg=msg,
        roles=get_args(Role),
        link=link,
        may_moderate=has_power(by, user),
        room=room.room if room and theirs else None,
        muted=until(user.muted_until) if user.muted_until and user.muted_until > now else "",
        banned=until(user.banned_until) if user.banned_until and user.banned_until > now else "",
        room_muted=bool(theirs and theirs.muted_until and theirs.muted_until > now),
    )


@blueprint.get("/people/<user_id>")
@login_required
def person(user_id: str) -> Page:
    """Somebody's page."""
    return _person_page(user_id)


@blueprint.post("/people/<user_id>/<any(mute, unmute, ban, unban, end_sessions):act>")
@login_required
@refusals_on(_person_page)
def keep_order(user_id: str, act: str) -> Page:
    """Mute or ban somebody, in one room or on the site, or lift it."""
    _keep_order(act, services.moderation.moderation.get(user_id))
    flash(DONE[act], "success")
    return redirect(url_for("people.person", user_id=user_id, room=request.form.get("room") or None), 303)


@blueprint.post("/people/<user_id>/role")
@login_required
@refusals_on(_person_page)
def set_role(user_id: str) -> Page:
    """Give somebody another role on the site."""
    user = services.moderation.moderation.get(user_id)
    role = request.form.get("role", "")
    if role not in get_args(Role):
        raise Refused("invalid", "This role does not exist.")
    services.moderation.moderation.set_role(current_user.user, user, cast("Role", role))
    flash(f"{user.display_name} now has the role {role}.", "success")
    return redirect(url_for("people.person", user_id=user_id), 303)


@blueprint.post("/people/<user_id>/reset-link")
@login_required
@refusals_on(_person_page)
def make_reset_link(user_id: str) -> Page:
    """Show a link by which somebody sets a new password: now, and never again."""
    secret = services.people.resets.make(current_user.user, services.moderation.moderation.get(user_id))
    return _person_page(user_id, 201, link=url_for("resets.reset", secret=secret, _external=True))


def _profile_page(form: ProfileForm | None = None, status: int = 200, msg: str = "") -> Response:
    return render("people/profile.html", status, form=form or ProfileForm(obj=current_user.user), msg=msg, rules=RULES)


@blueprint.route("/account/profile", methods=["GET", "POST"])
@login_required
@form_page(_profile_page, ProfileForm)
def profile(form: ProfileForm) -> Page:
    """The user's own profile."""
    services.site.limits.posting.check(current_user.id, client_address())
    services.people.profiles.change(current_user.user, form.profile)
    flash("Your profile was saved.", "success")
    return redirect(url_for("people.person", user_id=current_user.id), 303)


def _keep_order(act: str, user: User) -> None:
    by, moderation, form = current_user.user, services.moderation.moderation, OrderForm()
    room, reason = _room_of(request.form.get("room", "")), form.reason.data or ""
    end = end_of(form.duration.data or "", datetime.now(UTC)) if act in {"mute", "ban"} else None
    if act == "end_sessions":
        moderation.end_sessions(by, user)
    elif act in {"ban", "unban"}:
        moderation.ban(by, user, end, reason if end else "")
    elif room is not None:
        moderation.mute_in(room, by, user, end, reason)
    else:
        moderation.mute(by, user, end, reason if end else "")


def _room_of(slug: str) -> Access | None:
    return services.rooms.access.find_for(current_user.id, slug) if slug else None
