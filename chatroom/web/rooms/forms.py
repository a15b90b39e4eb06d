"""The forms with which rooms are made and changed."""

from typing import Any

from wtforms import BooleanField, Field, IntegerField, RadioField, SelectChoice, SelectField, StringField
from wtforms.validators import InputRequired, NumberRange

from chatroom.base.models import Room
from chatroom.names import MAX_TITLE, MAX_TOPIC, clean_title, clean_topic
from chatroom.rooms.settings import MAX_RETENTION_DAYS, MAX_SLOW_SECONDS, Wanted
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
        """As the rule for names says; kept as it is cleaned."""
        field.data = check(lambda: clean_title(field.data or ""))

    def validate_topic(self, field: Field) -> None:
        """As the rule for topics says; kept as it is cleaned."""
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

    is_read_only = BooleanField("Only moderators can post")
    slow_seconds = IntegerField(
        "Slow mode: seconds between two messages of a member",
        [InputRequired("Enter a number; 0 turns slow mode off."), NumberRange(0, MAX_SLOW_SECONDS)],
        render_kw={"min": 0, "max": MAX_SLOW_SECONDS},
    )
    retention_days = IntegerField(
        "Delete messages after (days)",
        [InputRequired("Enter a number; 0 keeps all messages."), NumberRange(0, MAX_RETENTION_DAYS)],
        render_kw={"min": 0, "max": MAX_RETENTION_DAYS},
    )
    confirmed = BooleanField("Yes, delete them")
    reason = StringField("Reason", render_kw={"maxlength": LONGEST_REASON})

    @classmethod
    def of(cls, room: Room) -> "RoomForm":
        """The form as the room is now."""
        form = cls()
        for name in Wanted.__struct_fields__:
            form[name].data = getattr(room, name)
        return form

    @property
    def wanted(self) -> Wanted:
        """What the room shall be."""
        fields: dict[str, Any] = {name: self[name].data for name in Wanted.__struct_fields__}
        return Wanted(**fields)


class InviteForm(Form):
    """Make a link into a room."""

    uses = SelectField("Valid for", choices=USES, coerce=int, default=25)
    hours = SelectField("During", choices=HOURS, coerce=int, default=168)
