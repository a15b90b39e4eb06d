"""The declaration of each API route: its scope, and the types of its request and responses.

A route without one is not in the OpenAPI document, and no token may use it.
"""

from collections.abc import Mapping
from typing import Any

import msgspec
from flask import Flask

from chatroom.base.models import Scope
from chatroom.web.kit.security import View


class operation(msgspec.Struct, frozen=True):  # noqa: N801  a decorator
    """Declare a route of the API, below the route decorator; the docstring of the view is the description."""

    scope: Scope | None
    """The scope that a token needs; None: no log-in is needed, and no token may be used."""
    answers: Mapping[int, Any]
    """By status: the type of the JSON body, or the media type of another body."""
    query: type[msgspec.Struct] | None = None
    body: type[msgspec.Struct] | str | None = None
    """The type of the JSON body that is read, or the media type of another body."""
    example: Any = None
    """A body to show."""
    refusals: tuple[int, ...] = ()
    """Statuses in addition to those that every route has."""
    summary: str = ""
    description: str = ""

    def __call__(self, view: View) -> View:
        """Keep the declaration, completed from the docstring, at the view."""
        summary, _, rest = (view.__doc__ or "").strip().partition("\n")
        words = {"summary": summary.rstrip("."), "description": " ".join(rest.split())}
        view.operation = msgspec.structs.replace(self, **words)  # type: ignore[attr-defined]
        return view


def operation_of(app: Flask, endpoint: str | None) -> operation | None:
    """The declaration of an endpoint's route."""
    view = app.view_functions.get(endpoint or "")
    return getattr(view, "operation", None)
