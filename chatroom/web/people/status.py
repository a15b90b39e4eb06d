"""The page on which users say what is up with them now: status, "do not disturb", quiet hours. Also their API.

Programs and the small dialog over the chat set a status by the API. The API also returns the card of a person.
"""

from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
from flask import Response
from msgspec import Meta
from wtforms import SelectChoice, SelectField, StringField
from wtforms.validators import Length

from chatroom.base.durations import FOREVER
from chatroom.base.models import Quiet, Status, User
from chatroom.people.statuses import ENDS, LONGEST_STATUS, current_status, end_of, quiet_until
from chatroom.web.kit.api import answer, api_blueprint, asker, body_as, enter, query_as
from chatroom.web.kit.forms import CompleteForm
from chatroom.web.kit.login import client_address, current_user, page_blueprint
from chatroom.web.kit.openapi import operation
from chatroom.web.kit.pages import Page, Shown, form_page, redirect_to, render
from chatroom.web.kit.services import services
from chatroom.web.kit.times import found_zone, times_of_reader
from chatroom.web.people.cards import AwayPerson, PersonCard, away_from, card_of

MOST_ASKED = 50
AS_NOW = "kept"
"""The choice that leaves the end of a status as it is."""
SUGGESTED = {"📅": "In a meeting", "🍽️": "At lunch", "🏠": "Working from home", "🤒": "Ill", "🌴": "On holiday"}
STATUS_ENDS = {name: ENDS[name] for name in ("30m", "1h", "today", "day", "never")}
QUIET_ENDS = {"off": "Off"} | {name: ENDS[name] for name in ("30m", "1h", "tomorrow", "day", "never")}
BY_COOKIE = (401, 403)
"""The statuses of refusals on routes that require a cookie. These routes refuse access tokens."""

blueprint = page_blueprint("status")
api = api_blueprint("people_api")


class StatusForm(CompleteForm):
    """Set a status. Without emoji and text, the form clears it."""

    emoji = StringField("Emoji", [Length(max=40)], render_kw={"maxlength": 40, "list": "status-emoji"})
    text = StringField("What is up?", [Length(max=LONGEST_STATUS)], render_kw={"maxlength": LONGEST_STATUS})
    ends = SelectField("How long?", choices=[SelectChoice(*each) for each in STATUS_ENDS.items()], default="today")
    day = StringField("Last day", render_kw={"type": "date"})

    def __init__(self, status: Status | None = None, **kwargs: Any) -> None:
        self.until = status.until if status else None
        shown = (
            {"emoji": status.emoji, "text": status.text, "ends": AS_NOW if status.until else "never"} if status else {}
        )
        super().__init__(**shown, **kwargs)
        if self.until:
            end = times_of_reader().soon(self.until, datetime.now(UTC))
            kept = SelectChoice(AS_NOW, f"Until {end}, as now")
            self.ends.choices = [kept, *self.ends.choices]


class UndisturbedForm(CompleteForm):
    """Let nothing disturb the user for some time."""

    undisturbed = SelectField(
        "Do not disturb me", choices=[SelectChoice(*each) for each in QUIET_ENDS.items()], default="off"
    )
    last_day = StringField("Last day", render_kw={"type": "date"})

    def __init__(self, quiet: Quiet | None = None, **kwargs: Any) -> None:
        until = quiet.until if quiet else None
        self.until = until if until and until > datetime.now(UTC) else None
        super().__init__(**({"undisturbed": AS_NOW} if self.until else {}), **kwargs)
        if self.until:
            end = "I change it" if self.until == FOREVER else times_of_reader().soon(self.until, datetime.now(UTC))
            self.undisturbed.choices = [SelectChoice(AS_NOW, f"Until {end}, as now"), *self.undisturbed.choices]


class HoursForm(CompleteForm):
    """Set the quiet hours of every day. Two empty fields end them."""

    start = StringField("From", render_kw={"type": "time"})
    end = StringField("To", render_kw={"type": "time"})


class SettingStatus(msgspec.Struct, forbid_unknown_fields=True):
    """A status. Without emoji and text, it is cleared. `ends` is when; `day` is the last day, for `day`."""

    emoji: Annotated[str, Meta(max_length=60)] = ""
    text: Annotated[str, Meta(max_length=300)] = ""
    ends: Annotated[str, Meta(max_length=10)] = "never"
    day: Annotated[str, Meta(max_length=10)] = ""


class StatusAnswer(msgspec.Struct):
    """Your status as it is now."""

    status: Status | None


class AskingWho(msgspec.Struct):
    """The ids of people, separated by commas: at most 50."""

    ids: Annotated[str, Meta(max_length=1300)] = ""


class PeopleAnswer(msgspec.Struct):
    """The people of a room who are not in it now, and whether the room has more members than were looked at."""

    room: str
    away: list[AwayPerson]
    more: bool
    here: list[str]


class Asking(msgspec.Struct):
    """The room in which you meet the person."""

    room: Annotated[str, Meta(max_length=100)] = ""


@blueprint.get("/account/status")
def page(form: CompleteForm | None = None, **shown: Shown) -> Response:
    """Show the user's status and quiet times, with their forms."""
    user, now = current_user.user, datetime.now(UTC)
    quiet = user.quiet or Quiet()
    until = quiet.until if quiet.until and quiet.until > now else None
    hours = {"start": quiet.start, "end": quiet.end}
    return render(
        "people/status.html",
        said=current_status(user.status, now),
        status_form=form if isinstance(form, StatusForm) else own_status_form(formdata=None),
        undisturbed_form=form if isinstance(form, UndisturbedForm) else own_undisturbed_form(formdata=None),
        hours_form=form if isinstance(form, HoursForm) else HoursForm(formdata=None, **hours),
        undisturbed_until=until,
        is_undisturbed_forever=until == FOREVER,
        quiet_end=quiet_until(user.quiet, now),
        time_zone=_zone_of(user),
        suggested=SUGGESTED,
        **shown,
    )


def own_status_form(**options: Any) -> StatusForm:
    """The form with the user's present status."""
    return StatusForm(current_status(current_user.user.status, datetime.now(UTC)), **options)


def own_undisturbed_form(**options: Any) -> UndisturbedForm:
    """The form with the user's present "do not disturb"."""
    return UndisturbedForm(current_user.user.quiet, **options)


@blueprint.post("/account/status")
@form_page(page, own_status_form)
def set_status(form: StatusForm) -> Page:
    """Set or clear the user's status."""
    _count(current_user.id)
    is_kept = form.ends.data == AS_NOW and form.until is not None
    until = form.until if is_kept else _end_of(form.ends.data or "", form.day.data or "")
    said = services.people.statuses.set_status(current_user.user, form.emoji.data or "", form.text.data or "", until)
    return redirect_to("status.page", "Your status was set." if said else "Your status was cleared.")


@blueprint.post("/account/undisturbed")
@form_page(page, own_undisturbed_form)
def set_undisturbed(form: UndisturbedForm) -> Page:
    """Begin or end "do not disturb"."""
    _count(current_user.id)
    asked, until = form.undisturbed.data, form.until
    if asked != AS_NOW:
        until = None if asked == "off" else _end_of(asked or "", form.last_day.data or "") or FOREVER
    services.people.statuses.set_undisturbed(current_user.user, until)
    return redirect_to("status.page", f"“Do not disturb” is {'on' if until else 'off'}.")


@blueprint.post("/account/quiet-hours")
@form_page(page, HoursForm)
def set_hours(form: HoursForm) -> Page:
    """Set or end the quiet hours."""
    _count(current_user.id)
    start, end = form.start.data or "", form.end.data or ""
    services.people.statuses.set_quiet_hours(current_user.user, start, end, _zone_of(current_user.user))
    return redirect_to("status.page", "Your quiet hours were saved." if start else "You have no quiet hours now.")


@api.get("/people/<user_id>")
@operation("read", {200: PersonCard}, query=Asking)
def get_person(user_id: str) -> Response:
    """A person: names, roles, status, time zone, and when they used the site last.

    With `room`, the slug of a room in which you are, the answer has the person's role there.
    """
    person, room = asker(), query_as(Asking).room
    services.site.limits.looking.check(person.id)
    access = services.rooms.access.find_for(person.id, room) if room else None
    return answer(card_of(services.moderation.moderation.get(user_id), access))


@api.get("/rooms/<slug>/people")
@operation("read", {200: PeopleAnswer}, query=AskingWho)
def list_people(slug: str) -> Response:
    """Some members of a room who are not in it now, and when they used the site last.

    `here` names those of the asked people (`ids`, separated by commas) who have a page of the site open.
    """
    access, ids = enter(slug), query_as(AskingWho).ids
    services.site.limits.looking.check(asker().id)
    away, has_more = away_from(access)
    here = services.live.presences.here_among([each for each in ids.split(",") if each][:MOST_ASKED])
    return answer(PeopleAnswer(room=access.room.slug, away=away, more=has_more, here=sorted(here)))


@api.put("/account/status")
@operation(None, {200: StatusAnswer}, body=SettingStatus, refusals=BY_COOKIE)
def put_status() -> Response:
    """Set or clear your status."""
    person, body = asker(), body_as(SettingStatus)
    _count(person.id)
    until = _end_of(body.ends, body.day)
    return answer(StatusAnswer(services.people.statuses.set_status(person.user, body.emoji, body.text, until)))


def _count(user_id: str) -> None:
    services.site.limits.posting.check(user_id, client_address())


def _end_of(ends: str, day: str) -> datetime | None:
    return end_of(ends, day, times_of_reader().tz, datetime.now(UTC))


def _zone_of(user: User) -> str:
    """The zone of the quiet hours: that of the profile, or else the one that this browser reported."""
    return user.time_zone or found_zone()
