"""Shared parts of forms: how they are read, and how they show errors.

Each form checks its CSRF token itself, so an expired form comes back with its input.
"""

from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any, ClassVar, TypeVar

import msgspec
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

Struct = TypeVar("Struct", bound=msgspec.Struct)


class Form(FlaskForm):  # type: ignore[misc]  # Flask-WTF has no types
    """A form that is read only from form fields: Flask-WTF would also read a JSON body, with values of any type."""

    beside: ClassVar[Mapping[str, tuple[str, str]]] = {}
    """By the reason of a refusal: the field that it is about, and the sentence for that field."""

    class Meta(FlaskForm.Meta):  # type: ignore[misc]
        """How the fields are read."""

        def wrap_formdata(self, form: Any, formdata: Any) -> Any:  # noqa: ARG002  Flask-WTF's
            """Read the fields of the request; none for a form that is made with `formdata=None`."""
            return request.form if request.method == "POST" and formdata is not None else None

    @property
    def problem(self) -> str:
        """The sentence at the top of the page for a form that is not valid."""
        return STALE if "csrf_token" in self.errors else SEE_BELOW

    def check(self) -> None:
        """Raise `Refused` unless the form is valid; the fields have the errors."""
        if not self.validate():
            raise Refused("invalid", self.problem)

    def read(self, kind: type[Struct]) -> Struct:
        """Make a record of the texts of the fields that have its names."""
        return kind(**{name: self[name].data or "" for name in kind.__struct_fields__})

    def explain(self, error: Refused | Unavailable) -> Refused | Unavailable:
        """The error for the top of the page; an error about a field becomes the error of that field."""
        if not isinstance(error, Refused) or error.reason not in self.beside:
            return error
        name, said = self.beside[error.reason]
        self[name].errors = [said]
        return Refused("invalid", self.problem)


class CompleteForm(Form):
    """A form that must be sent with all of its fields, even if empty: `username[$ne]=` is not a user name."""

    def check(self) -> None:
        """Raise `Refused` also for a field that was not sent."""
        super().check()
        if not all(field.name in request.form for field in self if field.name not in {"csrf_token", "next"}):
            raise Refused("invalid", INCOMPLETE)


def as_lines(text: str | None) -> str:
    """Filter the text of a field of several lines: browsers send line ends as CR LF."""
    return (text or "").replace("\r\n", "\n")


def obeys(rule: Callable[[str], str | None], *, is_kept: bool = False) -> Callable[[Form, Field], None]:
    """Make a validator that applies a rule to the text of a field; `is_kept`: the field keeps the cleaned text."""

    def validate(_form: Form, field: Field) -> None:
        try:
            cleaned = rule(field.data or "")
        except Refused as refusal:
            raise ValidationError(refusal.message) from refusal
        if is_kept:
            field.data = cleaned

    return validate
