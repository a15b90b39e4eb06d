"""The forms of webhooks and notification settings."""

from wtforms import HiddenField, SelectChoice, SelectField, StringField

from chatroom.names import MAX_HOOK_NAME
from chatroom.outbound.webhooks import LONGEST_TRIGGER, LONGEST_URL
from chatroom.web.kit.forms import Form

PREFERENCES = {"mentions": "Mentions", "all": "All messages", "none": "Nothing"}


class HookForm(Form):
    """A new incoming or outgoing webhook."""

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

    notify = SelectField("Notify me about", choices=[SelectChoice(*choice) for choice in PREFERENCES.items()])
