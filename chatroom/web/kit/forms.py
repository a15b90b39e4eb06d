"""Shared parts of forms: how they are read, and how they show errors.

Each checks its CSRF token itself, so that an expired form comes back with its input.
"""

from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any, ClassVar, TypeVar

from flask import request
from flask_wtf import FlaskForm
from wtforms import Field, ValidationError

from chatroom.base.errors import Refused, Unavailable
from chatroom.names import DISPLAY_NAME_RULE, USERNAME_RULE
from chatroom.people.passwords import PASSWORD_RULE

STALE = "This form has expired. Please send it again."
SEE_BELOW = "Please correct the marked fields."
INCOMPLETE = "Please fill in every field."
RULES = SimpleNamespace(username=USERNAME_RULE, display_name=DISPLAY_NAME_RULE, password=PASSWORD_RULE)

Checked = TypeVar("Checked")


class Form(FlaskForm):  # type: ignore[misc]  # Flask-WTF has no types
    """A form that is read from form fields only: Flask-WTF would read a JSON body too, with any type in it."""

    beside: ClassVar[Mapping[str, tuple[str, str]]] = {}
    """By a refusal's reason: the field that it is about, and what is said beside that."""

    class Meta(FlaskForm.Meta):  # type: ignore[misc]
        """How the fields are read."""

        def wrap_formdata(self, form: Any, formdata: Any) -> Any:  # noqa: ARG002  Flask-WTF's
            """Take the request's form fields; none for a form that is made with `formdata=None`."""
            return request.form if request.method == "POST" and formdata is not None else None

    @property
    def problem(self) -> str:
        """One sentence for the head of the page, once the form was found wrong."""
        return STALE if "csrf_token" in self.errors else SEE_BELOW

    def check(self) -> None:
        """Raise `Refused` unless the form is valid; the errors are at the fields."""
        if not self.validate():
            raise Refused("invalid", self.problem)

    def explain(self, error: Refused | Unavailable) -> Refused | Unavailable:
        """The error as the page says it at its head; one that is about a field is said beside that."""
        if not isinstance(error, Refused) or error.reason not in self.beside:
            return error
        name, said = self.beside[error.reason]
        self[name].errors = [said]
        return Refused("invalid", self.problem)


class CompleteForm(Form):
    """A form with all of its fields, be they empty: `username[$ne]=` is not a user name."""

    def check(self) -> None:
        """Raise `Refused` for a field that was not sent, too."""
        super().check()
        if not all(field.name in request.form for field in self if field.name not in {"csrf_token", "next"}):
            raise Refused("invalid", INCOMPLETE)


def typed_in(field: Field) -> str:
    """What was typed in a field of several lines: browsers send line ends as CR LF."""
    return (field.data or "").replace("\r\n", "\n")


def check(rule: Callable[[], Checked]) -> Checked:
    """What a rule makes of what was typed; its refusal becomes the field's error."""
    try:
        return rule()
    except Refused as refusal:
        raise ValidationError(refusal.message) from refusal
