"""The base of all forms: reading fields, and showing errors.

Each form checks its own CSRF token. So an expired form is shown again with its input.
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
from chatroom.people.passwords import PASSWORD_RULE, SHORTEST

STALE = "This form has expired. Please send it again."
SEE_BELOW = "Please correct the marked fields."
INCOMPLETE = "Please fill in every field."
RULES = SimpleNamespace(
    username=USERNAME_RULE, display_name=DISPLAY_NAME_RULE, password=PASSWORD_RULE, shortest=SHORTEST
)

Struct = TypeVar("Struct", bound=msgspec.Struct)


class Form(FlaskForm):  # type: ignore[misc]  # Flask-WTF has no types
    """A form that reads only form fields. Flask-WTF would also read a JSON body, with values of any type."""

    beside: ClassVar[Mapping[str, tuple[str, str]]] = {}
    """For each reason of a refusal: the field that shows the refusal, and the sentence, "" for the refusal's own."""

    class Meta(FlaskForm.Meta):  # type: ignore[misc]
        """WTForms' options for reading the fields."""

        def wrap_formdata(self, form: Any, formdata: Any) -> Any:  # noqa: ARG002  Flask-WTF's
            """Return the fields of the request. Return no fields for a form that is made with `formdata=None`."""
            return request.form if request.method == "POST" and formdata is not None else None

    @property
    def problem(self) -> str:
        """The sentence at the top of the page for an invalid form."""
        return STALE if "csrf_token" in self.errors else SEE_BELOW

    def check(self) -> None:
        """Raise `Refused` for an invalid form. The errors are in the fields."""
        if not self.validate():
            raise Refused("invalid", self.problem)

    def read(self, kind: type[Struct]) -> Struct:
        """Make a struct of the type `kind` from the texts of the form fields with the same names."""
        return kind(**{name: self[name].data or "" for name in kind.__struct_fields__})

    def explain(self, error: Refused | Unavailable) -> Refused | Unavailable:
        """Return the error for the top of the form. If the error is about one field, show it at that field."""
        if not isinstance(error, Refused) or error.reason not in self.beside or self.errors:
            return error
        name, said = self.beside[error.reason]
        self[name].errors = [said or error.message]
        return Refused("invalid" if said else error.reason, self.problem)


class CompleteForm(Form):
    """A form whose fields must all be sent, even empty fields."""

    def check(self) -> None:
        """Raise `Refused` for an invalid form, and for a field that was not sent."""
        super().check()
        if not all(field.name in request.form for field in self if field.name not in {"csrf_token", "next"}):
            raise Refused("invalid", INCOMPLETE)


def as_lines(text: str | None) -> str:
    """Replace CR LF by LF. Browsers send CR LF as the line end in a text field."""
    return (text or "").replace("\r\n", "\n")


def obeys(rule: Callable[[str], str | None], *, is_kept: bool = False) -> Callable[[Form, Field], None]:
    """Make a validator that applies a rule to a field's text. If `is_kept`, the rule's result replaces the text."""

    def validate(_form: Form, field: Field) -> None:
        try:
            cleaned = rule(field.data or "")
        except Refused as refusal:
            raise ValidationError(refusal.message) from refusal
        if is_kept:
            field.data = cleaned

    return validate
