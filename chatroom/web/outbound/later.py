"""The list Later: saved messages and reminders, as pages that need no scripts, and as an API for the pages' scripts."""

import re
from datetime import UTC, datetime
from functools import partial
from typing import Annotated, cast

import msgspec
from flask import Response, request, url_for
from msgspec import Meta
from wtforms import HiddenField, StringField

from chatroom.base.errors import Refused
from chatroom.live.protocol import WireMessage, wire
from chatroom.outbound.later import GONE, Entry, LaterPage, When, is_choice
from chatroom.web.kit.api import answer, api_blueprint, asker, body_as, enter, query_as
from chatroom.web.kit.forms import Form
from chatroom.web.kit.login import current_user, get_access, page_blueprint
from chatroom.web.kit.openapi import operation
from chatroom.web.kit.pages import Page, Shown, form_page, redirect_to, refusals_on, render
from chatroom.web.kit.services import services
from chatroom.web.kit.times import times_of_reader
from chatroom.web.messages.listing import excerpt_of
from chatroom.web.outbound.notifications import BY_COOKIE

LONGEST_TIME = 40
LARGEST_SEQUENCE = 2**53
TIME_RULE = "Write the date and the time like 2026-11-21 09:00."
CHOICES = {
    "20 minutes": "In 20 minutes",
    "1 hour": "In 1 hour",
    "3 hours": "In 3 hours",
    "tomorrow": "Tomorrow at 9:00",
    "monday": "Next Monday at 9:00",
}
"""The times that the pages offer for a reminder."""
_id = re.compile(r"[0-9a-f]{24}")

blueprint = page_blueprint("later")
api = api_blueprint("later_api")


class LaterForm(Form):
    """Save a message, set its reminder, or remove it. `when` is the button; `at` is a time in the reader's zone."""

    when = HiddenField()
    at = StringField("Date and time", render_kw={"type": "datetime-local"})

    @property
    def moment(self) -> datetime | None:
        """The time of the reminder; None for no reminder. Raises `Refused` (`invalid`) for anything else."""
        when = self.when.data or ""
        return _moment(self.at.data or "" if when == "at" else when)


class Listing(msgspec.Struct):
    """Where the next page starts."""

    before: Annotated[str, Meta(max_length=24)] | None = None


class Saving(msgspec.Struct, forbid_unknown_fields=True):
    """A message to save. `remind` is one of the offered times, a time of day such as 2026-11-21T09:00, or empty."""

    room: str
    sequence: Annotated[int, Meta(ge=1, le=LARGEST_SEQUENCE)]
    remind: Annotated[str, Meta(max_length=LONGEST_TIME)] = ""


class Reminding(msgspec.Struct, forbid_unknown_fields=True):
    """A new time of a reminder; empty for no reminder."""

    remind: Annotated[str, Meta(max_length=LONGEST_TIME)] = ""


class SavedMessage(msgspec.Struct):
    """A saved message. Without `room`, you can no longer read the room; without `message`, the message was deleted."""

    id: str
    saved_at: datetime
    remind_at: datetime | None
    is_due: bool
    room: str | None
    title: str | None
    url: str | None
    message: WireMessage | None
    excerpt: str | None
    """The beginning of the message, without the signs of Markdown."""


class LaterAnswer(msgspec.Struct):
    """A page of your saved messages: those with a due reminder, then the others, the latest first."""

    due_count: int
    saved: list[SavedMessage]
    before: str | None
    ids: dict[str, str]
    """For the id of each message that you saved, its id in this list."""


class RemovedAnswer(msgspec.Struct):
    """The message that is not saved any more."""

    id: str


def _later_page(**shown: Shown) -> Response:
    return render(
        "outbound/later.html",
        page=_read(current_user.id, request.args.get("before") if request.method == "GET" else None),
        choices=CHOICES,
        permalink=_permalink,
        **shown,
    )


@blueprint.get("/later")
@refusals_on(partial(render, "outbound/later.html", page=LaterPage(due=[], others=[], before=None), choices={}))
def page() -> Page:
    """Your saved messages: first those with a due reminder, then the others, the latest first."""
    return _later_page()


@blueprint.post("/later/<saved_id>")
@form_page(_later_page, LaterForm)
def change(form: LaterForm, saved_id: str) -> Page:
    """Set the reminder of a saved message, or remove the message from the list."""
    if form.when.data == "remove":
        services.outbound.later.remove(current_user.id, _check_id(saved_id))
        return redirect_to("later.page", "Removed from Later.")
    moment = form.moment
    services.outbound.later.remind(current_user.id, _check_id(saved_id), moment)
    said = f"I will remind you on {times_of_reader().moment(moment)}." if moment else "There is no reminder now."
    return redirect_to("later.page", said)


@blueprint.post("/chatroom/<slug>/<int:sequence>/later")
@form_page(_later_page, LaterForm)
def save(form: LaterForm, slug: str, sequence: int) -> Page:
    """Save a message, with or without a reminder."""
    access = get_access(slug)
    message = services.messages.history.at(access.room, min(sequence, LARGEST_SEQUENCE))
    moment = form.moment
    services.outbound.later.save(access, message, moment)
    said = f"Saved. The reminder comes on {times_of_reader().moment(moment)}." if moment else "Saved."
    return redirect_to("later.page", said)


@api.get("/later")
@operation(None, {200: LaterAnswer}, query=Listing, refusals=BY_COOKIE)
def list_saved() -> Response:
    """The messages that you saved for later.

    Those with a due reminder are only on the first page. For the next page, send the `before` of the answer.
    """
    found = _read(asker().id, query_as(Listing).before)
    return answer(
        LaterAnswer(
            due_count=services.outbound.later.count_due(asker().id),
            saved=[_shown(each) for each in [*found.due, *found.others]],
            before=found.before,
            ids=services.outbound.saved.ids(asker().id),
        )
    )


@api.post("/later")
@operation(
    None,
    {200: SavedMessage},
    body=Saving,
    example={"room": "lobby", "sequence": 42, "remind": "1 hour"},
    refusals=(*BY_COOKIE, 409),
)
def save_message() -> Response:
    """Save a message for later; a message that is saved already keeps its place."""
    asked = body_as(Saving)
    access = enter(asked.room)
    message = services.messages.history.at(access.room, asked.sequence)
    saved = services.outbound.later.save(access, message, _moment(asked.remind))
    return answer(_shown(services.outbound.later.find_entry(saved)))


@api.patch("/later/<saved_id>")
@operation(None, {200: SavedMessage}, body=Reminding, example={"remind": "tomorrow"}, refusals=BY_COOKIE)
def set_reminder(saved_id: str) -> Response:
    """Set the reminder of a saved message, or remove the reminder."""
    person, id = asker(), _check_id(saved_id)
    services.outbound.later.remind(person.id, id, _moment(body_as(Reminding).remind))
    saved = services.outbound.saved.find(person.id, id)
    if saved is None:
        raise Refused("not_found", GONE)
    return answer(_shown(services.outbound.later.find_entry(saved)))


@api.delete("/later/<saved_id>")
@operation(None, {200: RemovedAnswer}, refusals=BY_COOKIE)
def remove_saved(saved_id: str) -> Response:
    """Remove a message from your list, with its reminder."""
    services.outbound.later.remove(asker().id, _check_id(saved_id))
    return answer(RemovedAnswer(saved_id))


def _read(user_id: str, before: str | None) -> LaterPage:
    if before is not None and not _id.fullmatch(before):
        raise Refused("invalid", "`before` does not belong to this list. Please open the list again.")
    return services.outbound.later.list_page(user_id, before)


def _check_id(saved_id: str) -> str:
    if not _id.fullmatch(saved_id):
        raise Refused("not_found", GONE)
    return saved_id


def _moment(text: str) -> datetime | None:
    """The time that a choice or a date with a time means for the reader; None for an empty text."""
    if not text:
        return None
    zone = times_of_reader().tz
    if is_choice(text):
        return services.outbound.later.moment_of(cast("When", text), zone)
    try:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise Refused("invalid", TIME_RULE) from error


def _shown(entry: Entry) -> SavedMessage:
    room, message = entry.room, entry.message
    return SavedMessage(
        id=entry.saved.id,
        saved_at=entry.saved.saved_at,
        remind_at=entry.saved.remind_at,
        is_due=entry.is_due,
        room=room.slug if room else None,
        title=room.title if room else None,
        url=_permalink(entry) if message else None,
        message=wire(message, "text") if message else None,
        excerpt=excerpt_of(message) if message else None,
    )


def _permalink(entry: Entry) -> str | None:
    """The address of a saved message that the user can read."""
    if entry.room is None or entry.message is None:
        return None
    return url_for("permalinks.message", slug=entry.room.slug, sequence=entry.message.sequence)
