"""The pages of users, with the acts of moderators and administrators.

`Moderation` checks the rights for each act. A page shows only allowed acts.
"""

from datetime import UTC, datetime
from typing import cast, get_args

from flask import Response, request, url_for
from wtforms import SelectChoice, SelectField, StringField

from chatroom.base.access import POWERS, Access
from chatroom.base.durations import OFFERED, end_of
from chatroom.base.errors import Refused
from chatroom.base.models import Role, User
from chatroom.people.profiles import Profile, local_time
from chatroom.site.audit import LONGEST_REASON
from chatroom.site.authority import has_power
from chatroom.web.kit.forms import RULES, Form
from chatroom.web.kit.login import client_address, current_user, page_blueprint
from chatroom.web.kit.pages import Page, Shown, form_page, redirect_to, refusals_on, render
from chatroom.web.kit.services import services
from chatroom.web.people.cards import SEEN, card_of
from chatroom.web.people.forms import ProfileForm

DONE = {
    "mute": "The user is muted.",
    "unmute": "The user can post again.",
    "ban": "The user is banned and was logged out everywhere.",
    "unban": "The user can log in again.",
    "end_sessions": "The user was logged out everywhere.",
}

blueprint = page_blueprint("people")


class SanctionForm(Form):
    """Mute or ban a user."""

    reason = StringField("Reason (the user sees it)", render_kw={"required": True, "maxlength": LONGEST_REASON})
    duration = SelectField("For how long", choices=[SelectChoice(*choice) for choice in OFFERED.items()], default="1h")

    @property
    def end(self) -> datetime:
        """The time when the mute or the ban ends; raise `Refused` for an invalid duration."""
        return end_of(self.duration.data or "", datetime.now(UTC))


@blueprint.get("/people/<user_id>")
def person(user_id: str, **shown: Shown) -> Response:
    """Show the page of a user. `link` in `shown` is a new reset link, which is shown once."""
    user = services.moderation.moderation.get(user_id)
    now = datetime.now(UTC)
    room = _room_of(request.values.get("room", ""))
    member_access = services.rooms.access.find_for(user.id, room.room.slug) if room and room.may_moderate else None
    return render(
        "people/person.html",
        person=user,
        now=now,
        local_time=local_time(user, now),
        card=(card := card_of(user, room)),
        seen=SEEN["here" if user.id == current_user.id else card.seen],
        form=SanctionForm(),
        roles=get_args(Role),
        may_moderate=has_power(current_user.user, user),
        room=room.room if room and member_access else None,
        muted=user.muted_until if user.muted_until and user.muted_until > now else None,
        banned=user.banned_until if user.banned_until and user.banned_until > now else None,
        room_muted=bool(member_access and member_access.muted_until and member_access.muted_until > now),
        **shown,
    )


@blueprint.post("/people/<user_id>/<any(mute, unmute, ban, unban, end_sessions):act>")
@refusals_on(person)
def moderate(user_id: str, act: str) -> Page:
    """Mute or ban a user, end a mute or a ban, or end the user's sessions. A mute can be for one room."""
    _moderate(act, services.moderation.moderation.get(user_id))
    return redirect_to("people.person", DONE[act], user_id=user_id, room=request.form.get("room") or None)


@blueprint.post("/people/<user_id>/role")
@refusals_on(person)
def set_role(user_id: str) -> Page:
    """Change the role of a user on the site."""
    user = services.moderation.moderation.get(user_id)
    role = request.form.get("role", "")
    if role not in get_args(Role):
        raise Refused("invalid", "This role does not exist.")
    takes_rights = current_user.role == "administrator" and POWERS[cast("Role", role)] < POWERS[user.role]
    if takes_rights and request.form.get("confirmed") != role:
        return person(user_id, status=409, asked=role)
    services.moderation.moderation.set_role(current_user.user, user, cast("Role", role))
    return redirect_to("people.person", f"{user.display_name} now has the role {role}.", user_id=user_id)


@blueprint.post("/people/<user_id>/reset-link")
@refusals_on(person)
def make_reset_link(user_id: str) -> Page:
    """Create a link to set a new password, and show the link once."""
    secret = services.people.resets.make(current_user.user, services.moderation.moderation.get(user_id))
    return person(user_id, status=201, link=url_for("accounts.reset", secret=secret, _external=True))


def _profile_page(form: ProfileForm | None = None, **shown: Shown) -> Response:
    return render("people/profile.html", form=form or ProfileForm(obj=current_user.user), rules=RULES, **shown)


@blueprint.route("/account/profile", methods=["GET", "POST"])
@form_page(_profile_page, ProfileForm)
def profile(form: ProfileForm) -> Page:
    """Show or change the user's own profile."""
    services.site.limits.posting.check(current_user.id, client_address())
    services.people.profiles.change(current_user.user, form.read(Profile))
    return redirect_to("people.person", "Your profile was saved.", user_id=current_user.id)


def _moderate(act: str, user: User) -> None:
    by, moderation, form = current_user.user, services.moderation.moderation, SanctionForm()
    room, reason = _room_of(request.form.get("room", "")), form.reason.data or ""
    end = form.end if act in {"mute", "ban"} else None
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
