"""The forms of people: register, log in, passwords, the profile, access tokens, deleting an account."""

from functools import partial
from typing import Any, ClassVar

from flask import request
from wtforms import (
    Field,
    HiddenField,
    PasswordField,
    RadioField,
    SelectChoice,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
    ValidationError,
)
from wtforms.validators import DataRequired, EqualTo, Length
from wtforms.widgets import CheckboxInput, ListWidget

from chatroom.base.models import User
from chatroom.base.time_zones import places
from chatroom.names import clean_display_name, clean_username
from chatroom.people.passwords import LONGEST
from chatroom.people.profiles import LONGEST_ABOUT
from chatroom.people.sessions import LONGEST_LABEL
from chatroom.people.tokens import SCOPES, USUAL
from chatroom.site.audit import LONGEST_REASON
from chatroom.web.kit.forms import CompleteForm, Form, obeys
from chatroom.web.kit.security import safe_next
from chatroom.web.kit.services import services
from chatroom.web.kit.times import found_zone

DAYS = {"7": "a week", "30": "30 days", "90": "90 days", "365": "a year"}
DELETION_WAYS = {"keep": "Keep the messages under “Former member”", "erase": "Erase the messages and their files"}
PASSWORD = {"required": True, "maxlength": LONGEST}
WRONG_PASSWORD = {"wrong_password": ("password", "This is not your password.")}
SAME_PASSWORD = EqualTo("password", "The two passwords are different.")


class NextField(HiddenField):  # type: ignore[misc]  # WTForms has no types
    """The address for the redirect, from the form or the query; empty if the address is not a path of this site."""

    def process_data(self, _value: Any) -> None:
        """Read the query."""
        self.data = safe_next(request.args.get("next"))

    def process_formdata(self, valuelist: list[Any]) -> None:
        """Read the form."""
        self.data = safe_next(valuelist[0] if valuelist else "")


class RegisterForm(Form):
    """Create an account."""

    username = StringField("User name", [obeys(clean_username)], render_kw={"required": True, "maxlength": 32})
    display_name = StringField(
        "Display name", [obeys(clean_display_name)], render_kw={"required": True, "maxlength": 40}
    )
    password = PasswordField("Password", render_kw=PASSWORD)
    password_again = PasswordField("Password again", [SAME_PASSWORD], render_kw=PASSWORD)
    invite = StringField("Invite code", render_kw={"maxlength": 2000})  # or a whole link
    next = NextField()

    def validate_password(self, field: Field) -> None:
        """Apply the rule for passwords."""
        _check_password(self, field, self.username.data or "", self.display_name.data or "")


class LoginForm(CompleteForm):
    """Log in."""

    username = StringField("User name", render_kw={"required": True, "maxlength": 64})
    password = PasswordField("Password", render_kw=PASSWORD)
    next = NextField()


class ResetForm(Form):
    """Set a new password."""

    password = PasswordField("New password", render_kw=PASSWORD)
    password_again = PasswordField("New password again", [SAME_PASSWORD], render_kw=PASSWORD)

    def __init__(self, user: User, **kwargs: Any) -> None:
        self.user = user
        super().__init__(**kwargs)

    def validate_password(self, field: Field) -> None:
        """Apply the rule for passwords."""
        _check_password(self, field, self.user.username, self.user.display_name)


class PasswordForm(ResetForm):
    """Change the password."""

    beside: ClassVar = {"wrong_password": ("current_password", "This is not your current password.")}

    current_password = PasswordField("Current password", render_kw=PASSWORD)


class ProfileForm(CompleteForm):
    """Change the profile."""

    display_name = StringField(
        "Display name", [obeys(clean_display_name)], render_kw={"required": True, "maxlength": 40}
    )
    about = TextAreaField("About you", render_kw={"maxlength": LONGEST_ABOUT})
    time_zone = SelectField("Time zone", validate_choice=False)  # `Profiles` also accepts names that are not listed

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.time_zone.choices = _time_zones(self.time_zone.data or "")


class PictureForm(Form):
    """Choose or remove a picture. The view reads the file."""

    remove = HiddenField()


class TokenForm(Form):
    """Create an access token. This requires the current password."""

    beside: ClassVar = WRONG_PASSWORD

    label = StringField(
        "Label",
        [DataRequired("Please enter a label."), Length(max=LONGEST_LABEL)],
        render_kw={"maxlength": LONGEST_LABEL, "autocomplete": "off"},
    )
    scopes = SelectMultipleField(
        "Scopes",
        choices=[SelectChoice(*scope) for scope in SCOPES.items()],
        default=list(USUAL),
        option_widget=CheckboxInput(),
        widget=ListWidget(prefix_label=False),
    )
    rooms = StringField("Rooms", [Length(max=1500)], render_kw={"maxlength": 1500, "autocomplete": "off"})
    days = SelectField("Valid for", choices=[SelectChoice(*days) for days in DAYS.items()], default="90")
    password = PasswordField("Your password", render_kw=PASSWORD)

    @property
    def slugs(self) -> list[str]:
        """The rooms in the field, which are separated by commas or spaces."""
        return (self.rooms.data or "").replace(",", " ").split()

    def validate_scopes(self, field: Any) -> None:
        """Require a scope."""
        if not field.data:
            raise ValidationError("Choose at least one scope.")


class DeletionForm(Form):
    """Choose what happens to the messages, and type the user name to confirm."""

    way = RadioField("Messages", choices=[SelectChoice(*way) for way in DELETION_WAYS.items()], validate_choice=False)
    confirmation = StringField(
        "User name", render_kw={"required": True, "maxlength": 64, "autocapitalize": "none", "spellcheck": "false"}
    )

    def __init__(self, person: User, **kwargs: Any) -> None:
        self.person = person
        super().__init__(**kwargs)
        self.confirmation.label.text = f"To confirm, type the user name: {person.username}"

    @property
    def is_erased(self) -> bool:
        """Whether to erase the messages."""
        return bool(self.way.data == "erase")

    def validate_way(self, field: Field) -> None:
        """Require a choice."""
        if field.data not in DELETION_WAYS:
            raise ValidationError("Choose what happens to the messages.")

    def validate_confirmation(self, field: Field) -> None:
        """Require the exact user name."""
        if (field.data or "").strip() != self.person.username:
            raise ValidationError("This is not the user name.")


class OwnDeletionForm(DeletionForm):
    """Delete the user's own account."""

    beside: ClassVar = WRONG_PASSWORD

    password = PasswordField("Your password", render_kw=PASSWORD)

    def validate_password(self, field: Field) -> None:
        """Require a password.

        Whether it is right is checked only after the whole form is valid, because each check counts as a log-in
        attempt.
        """
        if not field.data:
            raise ValidationError("Type your password.")


class OthersDeletionForm(DeletionForm):
    """Delete another user's account."""

    reason = StringField("Reason (optional, for the audit log)", render_kw={"maxlength": LONGEST_REASON})


def _check_password(form: Form, field: Field, *names: str) -> None:
    obeys(partial(services.people.passwords.check_choice, own_names=names))(form, field)


def _time_zones(chosen: str) -> list[SelectChoice]:
    """Return the options of the time zone. An old name that was chosen earlier is kept."""
    found = found_zone()
    automatic = f"As in this browser: {found}" if found else "Not chosen (UTC without scripts)"
    listed = [
        SelectChoice(name, label, optgroup=region or None)
        for region, zones in places().items()
        for name, label in zones.items()
    ]
    kept = [SelectChoice(chosen)] if chosen and all(chosen != each.value for each in listed) else []
    return [SelectChoice("", automatic), *kept, *listed]
