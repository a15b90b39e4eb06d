"""The forms that create and change rooms."""

from typing import ClassVar

from wtforms import BooleanField, Field, HiddenField, IntegerField, RadioField, SelectChoice, SelectField, StringField
from wtforms.validators import InputRequired, Length, NumberRange

from chatroom.base.models import Room, RoomValues
from chatroom.names import MAX_TITLE, MAX_TOPIC, clean_title, clean_topic
from chatroom.rooms.fields import SETTINGS, TYPES, Setting, values_of
from chatroom.site.audit import LONGEST_REASON
from chatroom.web.kit.forms import Form, obeys

LONGEST_NAME = 64
HOURS = {1: "1 hour", 24: "1 day", 168: "1 week", 720: "30 days"}
USES = {1: "1 person", 5: "5 people", 25: "25 people", 100: "100 people"}
KINDS = {"public": "Public: everybody who is logged in", "private": "Private: only people who are invited"}


class NamedForm(Form):
    """The name and topic of a room."""

    beside: ClassVar = dict.fromkeys(("taken", "invalid"), ("title", ""))
    title = StringField(
        "Name", [obeys(clean_title, is_kept=True)], render_kw={"required": True, "maxlength": MAX_TITLE}
    )
    topic = StringField("Topic", [obeys(clean_topic, is_kept=True)], render_kw={"maxlength": MAX_TOPIC})


class NewRoomForm(NamedForm):
    """Create a room."""

    kind = RadioField("Who can join", choices=[SelectChoice(*choice) for choice in KINDS.items()], default="public")


class ReasonedForm(Form):
    """A change of a room, with a reason for the record."""

    reason = StringField("Reason (optional)", render_kw={"maxlength": LONGEST_REASON})

    def wanted(self, room: Room) -> RoomValues:
        """Return the values of the room, with those of the form."""
        fields = {name for name in RoomValues.__struct_fields__ if name in self}
        return RoomValues(**values_of(room) | {name: self[name].data for name in fields})


class GeneralForm(NamedForm, ReasonedForm):
    """Change the name and topic of a room."""


class RulesForm(ReasonedForm):
    """Change the rules of a room."""

    confirmed = BooleanField("Yes, delete them")

    @property
    def settings(self) -> list[tuple[Field, Setting]]:
        """The settings, each with its field, for the table on the page."""
        return [(self[name], setting) for name, setting in SETTINGS.items()]


def _field(setting: Setting, kind: type) -> Field:
    if kind is bool:
        return BooleanField(setting.label)
    if kind is int:
        checks = [
            InputRequired(setting.needed),
            NumberRange(0, setting.most, f"Enter a number from 0 to {setting.most:,}."),
        ]
        return IntegerField(setting.label, checks, render_kw={"min": 0, "max": setting.most})
    return StringField(setting.label, [obeys(setting.clean, is_kept=True)], render_kw={"maxlength": setting.most})


for _name, _setting in SETTINGS.items():
    setattr(RulesForm, _name, _field(_setting, TYPES[_name]))


class ArchiveForm(ReasonedForm):
    """Archive or reopen a room."""

    archived = HiddenField()


class UsernameForm(Form):
    """Name a user."""

    beside: ClassVar = dict.fromkeys(("not_found", "invalid"), ("username", ""))
    username = StringField("Name or user name", [Length(1, LONGEST_NAME, "Write a name.")])


class MemberForm(UsernameForm):
    """Add a member."""

    username = StringField("Add a member", [Length(1, LONGEST_NAME, "Write a name.")])


class HandOverForm(UsernameForm):
    """Hand a room over to another member. `confirmed` is the id of the member whom the page asked about."""

    confirmed = HiddenField()


class InviteForm(Form):
    """Create a room link."""

    uses = SelectField("Uses", choices=[SelectChoice(*choice) for choice in USES.items()], coerce=int, default=25)
    hours = SelectField(
        "Expires after", choices=[SelectChoice(*choice) for choice in HOURS.items()], coerce=int, default=168
    )
