"""The forms of webhooks and notification settings."""

from wtforms import HiddenField, SelectField, StringField
from wtforms.fields.choices import SelectChoice

from chatroom.names import MAX_HOOK_NAME
from chatroom.outbound.webhooks import LONGEST_TRIGGER, LONGEST_URL
from chatroom.web.kit.forms import Form

PREFERENCES = [
    SelectChoice(value="mentions", label="Mentions"),
    SelectChoice(value="all", label="All messages"),
    SelectChoice(value="none", label="Nothing"),
]


class HookForm(Form):
    """A new webhook, of either kind."""

    kind = HiddenField()
    name = StringField("Name", render_kw={"required": True, "maxlength": MAX_HOOK_NAME, "autocomplete": "off"})
    url = StringField(
        "Address", render_kw={"maxlength": LONGEST_URL, "autocomplete": "off", "inputmode": "url", "type": "url"}
    )
    trigger = StringField(
        "Only messages that start with", render_kw={"maxlength": LONGEST_TRIGGER, "autocomplete": "off"}
    )


class PreferenceForm(Form):
    """The notification setting of a room."""

    notify = SelectField("Notify me about", choices=PREFERENCES)
