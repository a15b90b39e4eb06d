"""The declaration of each API route: its scope, and the types of its request and responses.

A route without an `Operation` is not in the OpenAPI document, and no token may use it.
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import msgspec
from flask import Flask

from chatroom.base.models import Scope

View = TypeVar("View", bound=Callable[..., Any])


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """What a route of the API does, reads and answers."""

    scope: Scope | None
    summary: str
    description: str
    answers: Mapping[int, Any]
    """By status: the type of the JSON body, or the media type of what is no JSON."""
    query: type[msgspec.Struct] | None = None
    body: type[msgspec.Struct] | str | None = None
    example: Any = None
    refusals: tuple[int, ...] = ()


def operation(
    scope: Scope | None,
    answers: Mapping[int, Any],
    *,
    query: type[msgspec.Struct] | None = None,
    body: type[msgspec.Struct] | str | None = None,
    example: Any = None,
    refusals: tuple[int, ...] = (),
) -> Callable[[View], View]:
    """Declare a route of the API; placed below the route decorator. The docstring is the description.

    `scope` is what a token must have for it (None: it needs no log-in). `answers` has the type of the body by
    status, `body` and `query` the types of what is read (or the media type of a body that is no JSON), and `example`
    a body to show. `refusals` are statuses beyond those that every route has.
    """

    def mark(view: View) -> View:
        first, _, rest = (view.__doc__ or "").strip().partition("\n")
        view.operation = Operation(  # type: ignore[attr-defined]
            scope=scope,
            summary=first.rstrip("."),
            description=" ".join(rest.split()),
            answers=answers,
            query=query,
            body=body,
            example=example,
            refusals=refusals,
        )
        return view

    return mark


def operation_of(app: Flask, endpoint: str | None) -> Operation | None:
    """The declaration of an endpoint's route."""
    view = app.view_functions.get(endpoint or "")
    return getattr(view, "operation", None)
