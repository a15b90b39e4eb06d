"""The forms: their fields, and what is wrong with what was typed.

Each checks its CSRF token itself, so that a form that is out of date comes back with what was typed.
"""

import re
import secrets
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, TypeVar

from flask import request
from flask_wtf import FlaskForm
from wtforms import Field, HiddenField, PasswordField, SelectField, StringField, TextAreaField, ValidationError
from wtforms.fields.choices import SelectChoice

from chatroom.base.durations import OFFERED
from chatroom.base.errors import Refused
from chatroom.moderation.reports import LONGEST_REASON as LONGEST_REPORT
from chatroom.names import DISPLAY_NAME_RULE, USERNAME_RULE, clean_display_name, clean_username
from chatroom.people.passwords import LONGEST, PASSWORD_RULE
from chatroom.people.profiles import LONGEST_ABOUT
from chatroom.site.audit import LONGEST_REASON
from chatroom.web.kit.security import safe_next
from chatroom.web.kit.services import services

STALE = "This form was out of date. Please send it again."
SEE_BELOW = "Please correct what is marked below."
RULES = SimpleNamespace(username=USERNAME_RULE, display_name=DISPLAY_NAME_RULE, password=PASSWORD_RULE)

_number = re.compile(r"[0-9]{1,15}")
Checked = TypeVar("Checked")

_client_id = re.compile(r"[A-Za-z0-9_-]{1,64}")


class Form(FlaskForm):  # type: ignore[misc]  # Flask-WTF has no types
    """A form that is read from form fields only: Flask-WTF would read a JSON body too, with any type in it."""

    class Meta(FlaskForm.Meta):  # type: ignore[misc]
        """How the fields are read."""

        def wrap_formdata(self, form: Any, formdata: Any) -> Any:  # noqa: ARG002  Flask-WTF's signature
            """Take the request's form fields."""
            return request.form if request.method == "POST" else None

    @property
    def problem(self) -> str:
        """One sentence for the head of the page, once the form was found wrong."""
        return STALE if "csrf_token" in self.errors else SEE_BELOW

    @property
    def is_complete(self) -> bool:
        """Whether every field was sent, be it empty: `username[$ne]=` is not a user name."""
        return all(field.name in request.form for field in self if field.name not in {"csrf_token", "next"})


class RegisterForm(Form):
    """Become somebody here."""

    username = StringField("User name", render_kw={"required": True, "maxlength": 32})
    display_name = StringField("Display name", render_kw={"required": True, "maxlength": 40})
    password = PasswordField("Password", render_kw={"required": True, "maxlength": LONGEST})
    password_again = PasswordField("Password again", render_kw={"required": True, "maxlength": LONGEST})
    invite = StringField("Invitation code", render_kw={"maxlength": 100})
    next = HiddenField()

    def validate_username(self, field: Field) -> None:
        """As the rule for user names says."""
        check(lambda: clean_username(field.data or ""))

    def validate_display_name(self, field: Field) -> None:
        """As the rule for display names says."""
        check(lambda: clean_display_name(field.data or ""))

    def validate_password(self, field: Field) -> None:
        """As the rule for passwords says."""
        names = (self.username.data or "", self.display_name.data or "")
        check(lambda: services.people.passwords.check_choice(field.data or "", names))

    def validate_password_again(self, field: Field) -> None:
        """The same twice."""
        _check_same(self.password, field)

    def validate_next(self, field: Field) -> None:
        """Nobody is led off the site; a wrong address is forgotten."""
        field.data = safe_next(field.data)


class LoginForm(Form):
    """Come in again."""

    username = StringField("User name", render_kw={"required": True, "maxlength": 64})
    password = PasswordField("Password", render_kw={"required": True, "maxlength": LONGEST})
    next = HiddenField()

    def validate_next(self, field: Field) -> None:
        """Nobody is led off the site; a wrong address is forgotten."""
        field.data = safe_next(field.data)


class ResetForm(Form):
    """Set a new password, twice the same."""

    password = PasswordField("New password", render_kw={"required": True, "maxlength": LONGEST})
    password_again = PasswordField("New password again", render_kw={"required": True, "maxlength": LONGEST})

    def __init__(self, *names: str, **kwargs: Any) -> None:
        self._names = names
        super().__init__(**kwargs)

    def validate_password(self, field: Field) -> None:
        """As the rule for passwords says."""
        check(lambda: services.people.passwords.check_choice(field.data or "", self._names))

    def validate_password_again(self, field: Field) -> None:
        """The same twice."""
        _check_same(self.password, field)


class PasswordForm(ResetForm):
    """Change one's password."""

    current_password = PasswordField("Current password", render_kw={"required": True, "maxlength": LONGEST})


class ReportForm(Form):
    """Say what is wrong with a message."""

    reason = TextAreaField("What is wrong with it?", render_kw={"required": True, "maxlength": LONGEST_REPORT})

    @property
    def typed(self) -> str:
        """What was typed; browsers send line ends as CR LF."""
        return (self.reason.data or "").replace("\r\n", "\n")


class ProfileForm(Form):
    """Say something about oneself."""

    display_name = StringField("Display name", render_kw={"required": True, "maxlength": 40})
    about = TextAreaField("About you", render_kw={"maxlength": LONGEST_ABOUT})
    time_zone = StringField("Time zone", render_kw={"maxlength": 64})

    def validate_display_name(self, field: Field) -> None:
        """As the rule for display names says."""
        check(lambda: clean_display_name(field.data or ""))


DURATIONS = [SelectChoice(value=value, label=label) for value, label in OFFERED.items()]


class OrderForm(Form):
    """Mute or ban somebody: why, and for how long."""

    reason = StringField("Why? They are told", render_kw={"required": True, "maxlength": LONGEST_REASON})
    duration = SelectField("For how long", choices=DURATIONS, default="1h")


class MessageForm(Form):
    """Say something. The client id is made with the form, so that sending it twice stores it once."""

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

    text = TextAreaField("Its text", render_kw={"required": True})
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
    """Put an emoji on a message by its button or its name, or take one's own back."""

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


def typed_in(field: Field) -> str:
    """What was typed in a field of several lines, with line ends as they are kept."""
    return (field.data or "").replace("\r\n", "\n")


def check(rule: Callable[[], Checked]) -> Checked:
    """What a rule makes of what was typed; its refusal becomes the field's error."""
    try:
        return rule()
    except Refused as refusal:
        raise ValidationError(refusal.message) from refusal


def _check_same(first: Field, second: Field) -> None:
    if first.data != second.data:
        raise ValidationError("The two passwords differ.")
