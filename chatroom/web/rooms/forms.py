"""The forms that create and change rooms."""

from wtforms import BooleanField, Field, IntegerField, RadioField, SelectChoice, SelectField, StringField
from wtforms.validators import InputRequired, NumberRange

from chatroom.base.models import Room, RoomValues
from chatroom.names import MAX_TITLE, MAX_TOPIC, clean_title, clean_topic
from chatroom.rooms.fields import SETTINGS, TYPES, Setting, values_of
from chatroom.site.audit import LONGEST_REASON
from chatroom.web.kit.forms import Form, check

HOURS = [
    SelectChoice(1, "an hour"),
    SelectChoice(24, "a day"),
    SelectChoice(168, "a week"),
    SelectChoice(720, "30 days"),
]
USES = [
    SelectChoice(1, "one person"),
    SelectChoice(5, "5 people"),
    SelectChoice(25, "25 people"),
    SelectChoice(100, "100 people"),
]


class NamedForm(Form):
    """What every form about a room asks for."""

    title = StringField("Name", render_kw={"required": True, "maxlength": MAX_TITLE})
    topic = StringField("Topic", render_kw={"maxlength": MAX_TOPIC})

    def validate_title(self, field: Field) -> None:
        """Apply the rule for names, and keep the cleaned name."""
        field.data = check(lambda: clean_title(field.data or ""))

    def validate_topic(self, field: Field) -> None:
        """Apply the rule for topics, and keep the cleaned topic."""
        field.data = check(lambda: clean_topic(field.data or ""))


class NewRoomForm(NamedForm):
    """Make a room."""

    kind = RadioField(
        "Who can join",
        choices=[
            SelectChoice("public", "Everybody who is logged in"),
            SelectChoice("private", "Only people who are invited"),
        ],
        default="public",
    )


class RoomForm(NamedForm):
    """Change a room."""

    confirmed = BooleanField("Yes, delete them")
    reason = StringField("Reason", render_kw={"maxlength": LONGEST_REASON})

    @classmethod
    def of(cls, room: Room) -> "RoomForm":
        """The form as the room is now."""
        form = cls()
        for name, value in values_of(room).items():
            form[name].data = value
        return form

    @property
    def settings(self) -> list[tuple[Field, Setting]]:
        """The fields that are made from the table of settings."""
        return [(self[name], setting) for name, setting in SETTINGS.items()]

    @property
    def wanted(self) -> RoomValues:
        """What the room is to be."""
        return RoomValues(**{name: self[name].data for name in RoomValues.__struct_fields__})


def _field(setting: Setting, kind: type) -> Field:
    """The field of a setting."""
    if kind is bool:
        return BooleanField(setting.label)
    if kind is int:
        checks = [InputRequired(setting.needed), NumberRange(0, setting.most)]
        return IntegerField(setting.label, checks, render_kw={"min": 0, "max": setting.most})

    def clean(_form: Form, field: Field) -> None:
        field.data = check(lambda: setting.clean(field.data or ""))

    return StringField(setting.label, [clean], render_kw={"maxlength": setting.most})


for _name, _setting in SETTINGS.items():
    setattr(RoomForm, _name, _field(_setting, TYPES[_name]))


class InviteForm(Form):
    """Make a link into a room."""

    uses = SelectField("Valid for", choices=USES, coerce=int, default=25)
    hours = SelectField("During", choices=HOURS, coerce=int, default=168)
