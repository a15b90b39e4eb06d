"""The forms that create and change rooms."""

from wtforms import BooleanField, Field, IntegerField, RadioField, SelectChoice, SelectField, StringField
from wtforms.validators import InputRequired, NumberRange

from chatroom.base.models import RoomValues
from chatroom.names import MAX_TITLE, MAX_TOPIC, clean_title, clean_topic
from chatroom.rooms.fields import SETTINGS, TYPES, Setting
from chatroom.site.audit import LONGEST_REASON
from chatroom.web.kit.forms import Form, obeys

HOURS = {1: "an hour", 24: "a day", 168: "a week", 720: "30 days"}
USES = {1: "one person", 5: "5 people", 25: "25 people", 100: "100 people"}
KINDS = {"public": "Everybody who is logged in", "private": "Only people who are invited"}


class NamedForm(Form):
    """The name and topic of a room."""

    title = StringField(
        "Name", [obeys(clean_title, is_kept=True)], render_kw={"required": True, "maxlength": MAX_TITLE}
    )
    topic = StringField("Topic", [obeys(clean_topic, is_kept=True)], render_kw={"maxlength": MAX_TOPIC})


class NewRoomForm(NamedForm):
    """Create a room."""

    kind = RadioField("Who can join", choices=[SelectChoice(*choice) for choice in KINDS.items()], default="public")


class RoomForm(NamedForm):
    """Change a room."""

    confirmed = BooleanField("Yes, delete them")
    reason = StringField("Reason", render_kw={"maxlength": LONGEST_REASON})

    @property
    def settings(self) -> list[tuple[Field, Setting]]:
        """The settings, each with its field, for the table on the page."""
        return [(self[name], setting) for name, setting in SETTINGS.items()]

    @property
    def wanted(self) -> RoomValues:
        """The values of the settings in the form."""
        return RoomValues(**{name: self[name].data for name in RoomValues.__struct_fields__})


def _field(setting: Setting, kind: type) -> Field:
    if kind is bool:
        return BooleanField(setting.label)
    if kind is int:
        checks = [InputRequired(setting.needed), NumberRange(0, setting.most)]
        return IntegerField(setting.label, checks, render_kw={"min": 0, "max": setting.most})
    return StringField(setting.label, [obeys(setting.clean, is_kept=True)], render_kw={"maxlength": setting.most})


for _name, _setting in SETTINGS.items():
    setattr(RoomForm, _name, _field(_setting, TYPES[_name]))


class InviteForm(Form):
    """Create a room link."""

    uses = SelectField("Uses", choices=[SelectChoice(*choice) for choice in USES.items()], coerce=int, default=25)
    hours = SelectField(
        "Expires after", choices=[SelectChoice(*choice) for choice in HOURS.items()], coerce=int, default=168
    )
