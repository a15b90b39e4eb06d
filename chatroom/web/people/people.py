"""People: the page of each, and what moderators and administrators can do to them there.

Who may do what is decided by `Moderation`; the page only shows what would be let through.
"""

from datetime import UTC, datetime
from typing import cast, get_args

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for

from chatroom.base.access import Access
from chatroom.base.durations import end_of, until
from chatroom.base.errors import Refused, Unavailable
from chatroom.base.models import Role, User
from chatroom.people.profiles import Profile, local_time
from chatroom.site.authority import has_power
from chatroom.web.kit import login as signing
from chatroom.web.kit.errors import page_with_status, retry_after_of, status_of, with_retry_after
from chatroom.web.kit.forms import RULES, OrderForm, ProfileForm
from chatroom.web.kit.login import Page, current_user, login_required
from chatroom.web.kit.security import form_checks_token
from chatroom.web.kit.services import services
from chatroom.web.people.accounts import INCOMPLETE

DONE = {
    "mute": "They are muted.",
    "unmute": "They may post again.",
    "ban": "They are banned, and were logged out everywhere.",
    "unban": "They may log in again.",
    "end_sessions": "They were logged out everywhere.",
}

blueprint = Blueprint("people", __name__)


@blueprint.get("/people/<user_id>")
@login_required
def person(user_id: str) -> Page:
    """Somebody's page."""
    return _person_page(services.moderation.moderation.get(user_id), OrderForm())


@blueprint.post("/people/<user_id>/<any(mute, unmute, ban, unban, end_sessions):act>")
@login_required
def keep_order(user_id: str, act: str) -> Page:
    """Mute or ban somebody, in one room or on the site, or lift it."""
    user = services.moderation.moderation.get(user_id)
    form = OrderForm()
    try:
        _keep_order(act, user, form)
    except (Refused, Unavailable) as error:
        page = _person_page(user, form, status_of(error), str(error))
        return with_retry_after(page, retry_after_of(error))
    flash(DONE[act], "success")
    return redirect(url_for("people.person", user_id=user_id, room=request.form.get("room") or None), 303)


@blueprint.post("/people/<user_id>/role")
@login_required
def set_role(user_id: str) -> Page:
    """Give somebody another role on the site."""
    user = services.moderation.moderation.get(user_id)
    role = request.form.get("role", "")
    try:
        if role not in get_args(Role):
            raise Refused("invalid", "There is no such role.")
        services.moderation.moderation.set_role(current_user.user, user, cast("Role", role))
    except (Refused, Unavailable) as error:
        return with_retry_after(_person_page(user, OrderForm(), status_of(error), str(error)), retry_after_of(error))
    flash(f"{user.display_name} is now: {role}.", "success")
    return redirect(url_for("people.person", user_id=user_id), 303)


@blueprint.post("/people/<user_id>/reset-link")
@login_required
def make_reset_link(user_id: str) -> Page:
    """Show a link by which somebody sets a new password: now, and never again."""
    user = services.moderation.moderation.get(user_id)
    try:
        secret = services.people.resets.make(current_user.user, user)
    except (Refused, Unavailable) as error:
        return with_retry_after(_person_page(user, OrderForm(), status_of(error), str(error)), retry_after_of(error))
    return _person_page(user, OrderForm(), 201, link=url_for("resets.reset", secret=secret, _external=True))


@blueprint.route("/account/profile", methods=["GET", "POST"])
@form_checks_token
@login_required
def profile() -> Page:
    """What one says about oneself."""
    user = current_user.user
    form = ProfileForm(data={"display_name": user.display_name, "about": user.about, "time_zone": user.time_zone})
    if request.method != "POST":
        return _profile_page(form)
    if not form.validate():
        return _profile_page(form, 400, form.problem)
    if not form.is_complete:
        return _profile_page(form, 400, INCOMPLETE)
    wanted = Profile(
        display_name=form.display_name.data, about=form.about.data, time_zone=(form.time_zone.data or "").strip()
    )
    try:
        services.site.limits.posting.check(user.id, signing.address())
        services.people.profiles.change(user, wanted)
    except (Refused, Unavailable) as error:
        return with_retry_after(_profile_page(form, status_of(error), str(error)), retry_after_of(error))
    flash("Your profile is saved.", "success")
    return redirect(url_for("people.person", user_id=user.id), 303)


def _profile_page(form: ProfileForm, status: int = 200, msg: str = "") -> Response:
    html = render_template("people/profile.html", form=form, msg=msg, rules=RULES)
    return page_with_status(html, status)


def _keep_order(act: str, user: User, form: OrderForm) -> None:
    by, moderation = current_user.user, services.moderation.moderation
    reason = form.reason.data or ""
    room = _room_of(request.form.get("room", ""))
    if room is not None and act in {"mute", "unmute"}:
        end = end_of(form.duration.data or "", datetime.now(UTC)) if act == "mute" else None
        moderation.mute_in(room, by, user, end, reason)
    elif act == "mute":
        moderation.mute(by, user, end_of(form.duration.data or "", datetime.now(UTC)), reason)
    elif act == "unmute":
        moderation.unmute(by, user)
    elif act == "ban":
        moderation.ban(by, user, end_of(form.duration.data or "", datetime.now(UTC)), reason)
    elif act == "end_sessions":
        moderation.end_sessions(by, user)
    else:
        moderation.unban(by, user)


def _person_page(user: User, form: OrderForm, status: int = 200, msg: str = "", link: str = "") -> Response:
    now = datetime.now(UTC)
    by = current_user.user
    room = _room_of(request.values.get("room", ""))
    theirs = services.rooms.rooms.find_for(user.id, room.room.slug) if room and room.may_moderate else None
    html = render_template(
        "people/person.html",
        person=user,
        local_time=local_time(user, now),
        form=form,
        msg=msg,
        roles=get_args(Role),
        link=link,
        may_moderate=has_power(by, user),
        room=room.room if room and theirs else None,
        muted=until(user.muted_until) if user.muted_until and user.muted_until > now else "",
        banned=until(user.banned_until) if user.banned_until and user.banned_until > now else "",
        room_muted=bool(theirs and theirs.muted_until and theirs.muted_until > now),
    )
    return page_with_status(html, status)


def _room_of(slug: str) -> Access | None:
    return services.rooms.rooms.find_for(current_user.id, slug) if slug else None
