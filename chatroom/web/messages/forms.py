"""The forms of messages: write one, edit it, react to it, pin it."""

import re
import secrets

from wtforms import HiddenField, StringField, TextAreaField

from chatroom.web.kit.forms import Form, typed_in

_number = re.compile(r"[0-9]{1,15}")
_client_id = re.compile(r"[A-Za-z0-9_-]{1,64}")


class MessageForm(Form):
    """Post a message. The client id is created with the form, so that sending it twice stores it once."""

    # Browsers restore what was in a field; an old client id restored would swallow the next message.
    client_id = HiddenField(render_kw={"autocomplete": "off"})
    text = TextAreaField("Message")
    reply_to = StringField()

    @property
    def typed(self) -> str:
        """What was typed; browsers send line ends as CR LF."""
        return typed_in(self.text)

    @property
    def answered(self) -> int | None:
        """The sequence of the message that this one answers, if it is one."""
        return int(self.reply_to.data) if _number.fullmatch(self.reply_to.data or "") else None

    @property
    def given_client_id(self) -> str | None:
        """The client id, if it is one."""
        return self.client_id.data if _client_id.fullmatch(self.client_id.data or "") else None

    def renew(self) -> None:
        """Give the form a client id of its own, unless it has one."""
        self.client_id.data = self.given_client_id or secrets.token_urlsafe(12)


class EditForm(Form):
    """Give a message another text; `revision` is the message's that was in view."""

    text = TextAreaField("Text", render_kw={"required": True})
    revision = HiddenField(render_kw={"autocomplete": "off"})

    @property
    def typed(self) -> str:
        """What was typed; browsers send line ends as CR LF."""
        return typed_in(self.text)

    @property
    def seen(self) -> int | None:
        """The revision, if it is one."""
        return int(self.revision.data) if _number.fullmatch(self.revision.data or "") else None


class ReactForm(Form):
    """Add a reaction by its button or its name, or remove one's own."""

    emoji = HiddenField()
    other = StringField("Another emoji", render_kw={"maxlength": 64, "placeholder": ":tada:"})
    take_back = HiddenField()

    @property
    def is_on(self) -> bool:
        """Whether it is to be put there."""
        return not self.take_back.data

    @property
    def chosen(self) -> str:
        """The emoji, or its name."""
        return self.take_back.data or self.emoji.data or self.other.data or ""


class PinForm(Form):
    """Pin a message, or unpin it."""

    on = HiddenField()
