"""The forms to write, edit and pin a message, and to react to it."""

import re
import secrets

from wtforms import Field, HiddenField, StringField, TextAreaField

from chatroom.web.kit.forms import Form, as_lines

_number = re.compile(r"[0-9]{1,15}")
_client_id = re.compile(r"[A-Za-z0-9_-]{1,64}")


class MessageForm(Form):
    """Post a message. The form contains the client id, so a form that is sent twice stores one message."""

    # Browsers must not restore this value: the next message with the same client id would count as a repetition.
    client_id = HiddenField(render_kw={"autocomplete": "off"})
    text = TextAreaField("Message", filters=[as_lines])
    reply_to = StringField()
    preview = StringField()

    @property
    def is_preview(self) -> bool:
        """Whether the user asked for a preview, and does not post yet."""
        return bool(self.preview.data)

    @property
    def replied_to(self) -> int | None:
        """The sequence of the message to which the user replies; None without a valid number."""
        return _number_in(self.reply_to)

    @property
    def given_client_id(self) -> str | None:
        """The client id; None if it is not valid."""
        return self.client_id.data if _client_id.fullmatch(self.client_id.data or "") else None

    def renew(self) -> None:
        """Give the form a client id, unless it has one."""
        self.client_id.data = self.given_client_id or secrets.token_urlsafe(12)


class EditForm(Form):
    """Change the text of a message. `revision` is the revision of the message that the user sees."""

    text = TextAreaField("Text", filters=[as_lines], render_kw={"required": True})
    revision = HiddenField(render_kw={"autocomplete": "off"})

    @property
    def seen(self) -> int | None:
        """The revision as a number; None if it is not valid."""
        return _number_in(self.revision)


class ReactForm(Form):
    """Add or remove a reaction. The user chooses the emoji by a button, or types its name."""

    emoji = HiddenField()
    other = StringField("Another emoji", render_kw={"maxlength": 64, "placeholder": ":tada:"})
    take_back = HiddenField()

    @property
    def is_on(self) -> bool:
        """Whether to add the reaction."""
        return not self.take_back.data

    @property
    def chosen(self) -> str:
        """The emoji, or its name."""
        return self.take_back.data or self.emoji.data or self.other.data or ""


class PinForm(Form):
    """Pin a message, or unpin it."""

    on = HiddenField()


def _number_in(field: Field) -> int | None:
    return int(field.data) if _number.fullmatch(field.data or "") else None
