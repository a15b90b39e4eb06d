"""Declare the API routes, and generate the OpenAPI document from the declarations.

The document cannot be generated if an API route has no declaration.
"""

import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import msgspec
from flask import Flask
from msgspec import UNSET, UnsetType
from werkzeug.routing import Rule

from chatroom.base.models import Scope
from chatroom.web.kit.security import UNSAFE_METHODS, View

PREFIX = "/api/"
REF = "#/components/schemas/{name}"
REFUSALS = {
    400: "The request or the text is not valid.",
    401: "Not logged in: there is no token, or the token is not valid.",
    403: "Not allowed: missing rights, outside the scopes of the token, or a cookie without its CSRF token.",
    404: "There is no such room, or you are not a member of it. The answer does not say which.",
    409: "Changed in the meantime, or a limit is reached.",
    413: "Larger than the site allows.",
    429: "Too many requests. `Retry-After` says how long to wait.",
    503: "The database does not answer, or is overloaded. `Retry-After` says how long to wait.",
    507: "There is no space left for files.",
}
INTRODUCTION = (
    "Read and post messages. Authenticate with an access token (`Authorization: Bearer chatroom_...`), or with the "
    "session cookie and the CSRF token in the header `X-CSRFToken`. "
    "Ignore fields that you do not know: new ones may appear."
)
TAGS = {
    "messages": "messages",
    "pins": "messages",
    "held": "messages",
    "preview": "messages",
    "later": "messages",
    "files": "files",
    "members": "people",
    "people": "people",
    "status": "people",
    "search": "search",
    "push": "notifications",
    "rooms": "rooms",
}
"""The tag of an operation, by a part of its path. Generated clients and the reference group the operations by tag."""
JSON = "application/json"
VARIABLE = re.compile(r"<(?:(\w+)(?:\([^)]*\))?:)?(\w+)>")


class operation(msgspec.Struct, frozen=True):  # noqa: N801  a decorator
    """Declare an API route: a decorator below the route decorator. The view's docstring describes the route."""

    scope: Scope | None
    """The scope that a token needs. If it is None, no log-in is needed, and no token may be used."""
    answers: Mapping[int, Any]
    """For each status: the type of the JSON body, or the media type of another body."""
    query: type[msgspec.Struct] | None = None
    body: type[msgspec.Struct] | str | None = None
    """The type of the JSON body of a request, or the media type of another body."""
    example: Any = None
    """An example of a request body."""
    refusals: tuple[int, ...] = ()
    """The statuses of refusals, in addition to the common statuses of all routes."""
    name: str = ""
    """The name of the function in generated clients."""
    summary: str = ""
    description: str = ""

    def __call__(self, view: View) -> View:
        """Add the view's name and docstring to the declaration, and store the declaration in the view."""
        summary, _, rest = (view.__doc__ or "").strip().partition("\n")
        words = {"name": view.__name__, "summary": summary.rstrip("."), "description": " ".join(rest.split())}
        view.operation = msgspec.structs.replace(self, **words)  # type: ignore[attr-defined]
        return view


def operation_of(app: Flask, endpoint: str | None) -> operation | None:
    """The declaration of an endpoint's route."""
    view = app.view_functions.get(endpoint or "")
    return getattr(view, "operation", None)


class ErrorDetail(msgspec.Struct):
    """Why a request was refused."""

    reason: str
    message: str
    retry_after: float | UnsetType = UNSET


class ErrorAnswer(msgspec.Struct):
    """The body of every refusal."""

    error: ErrorDetail


def make_document(app: Flask, *, title: str, version: str) -> dict[str, Any]:
    """Make the OpenAPI document, as dictionaries and lists."""
    known = _operations(app)
    bodies = (kind for *_, each in known for kind in (each.body, *each.answers.values()))
    kinds = list(dict.fromkeys([ErrorAnswer, *(kind for kind in bodies if not isinstance(kind, str | None))]))
    refs, schemas = msgspec.json.schema_components(kinds, ref_template=REF)
    ref_of = dict(zip(kinds, refs, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for path, method, rule, each in known:
        paths.setdefault(path, {})[method.lower()] = _described(method, rule, each, ref_of)
    return {
        "openapi": "3.1.0",
        "info": {"title": title, "version": version, "description": INTRODUCTION},
        "paths": paths,
        "components": {
            "schemas": _plain(schemas),
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer"},
                "session": {"type": "apiKey", "in": "cookie", "name": "session"},
                "csrf": {"type": "apiKey", "in": "header", "name": "X-CSRFToken"},
            },
        },
    }


def _operations(app: Flask) -> list[tuple[str, str, Rule, operation]]:
    """The path, method, rule and operation of every API route, sorted by path."""
    found = []
    for rule in app.url_map.iter_rules():
        if rule.rule.startswith(PREFIX):
            known = operation_of(app, rule.endpoint)
            if known is None:
                raise LookupError(f"{rule.rule} has no @operation (chatroom/web/kit/openapi.py)")
            path, methods = VARIABLE.sub(r"{\2}", rule.rule), (rule.methods or set()) - {"HEAD", "OPTIONS"}
            found += [(path, method, rule, known) for method in sorted(methods)]
    return sorted(found, key=lambda each: each[:2])


def _described(method: str, rule: Rule, each: operation, ref_of: Mapping[Any, Any]) -> dict[str, Any]:
    is_unsafe = method in UNSAFE_METHODS
    described: dict[str, Any] = {
        "operationId": each.name,
        "tags": [_tag_of(rule)],
        "summary": each.summary,
        "parameters": [*_path_parameters(rule), *_query_parameters(each)],
        "responses": {
            str(status): {
                "description": HTTPStatus(status).phrase,
                "content": _content(kind, ref_of, {"type": "string"}),
            }
            for status, kind in each.answers.items()
        },
        "security": [],
    }
    if each.description:
        described["description"] = each.description
    if each.scope is not None:
        described["x-scope"] = each.scope
        described["security"] = [{"token": []}, {"session": [], "csrf": []} if is_unsafe else {"session": []}]
    if each.body is not None:
        content = _content(each.body, ref_of, {"type": "string", "format": "binary"})
        if each.example is not None:
            content[JSON]["example"] = each.example
        described["requestBody"] = {"required": True, "content": content}
    refusals = {400, 503, *each.refusals}
    refusals |= {401, 403} if each.scope is not None else set()
    refusals |= {404} if rule.arguments else set()
    refusals |= {413, 429} if is_unsafe else set()
    for status in sorted(refusals):
        content = _content(ErrorAnswer, ref_of, {})
        described["responses"][str(status)] = {"description": REFUSALS[status], "content": content}
    return described


def _tag_of(rule: Rule) -> str:
    """Return the tag of the last part of the path that has one."""
    return next((TAGS[part] for part in reversed(rule.rule.split("/")) if part in TAGS), "reference")


def _path_parameters(rule: Rule) -> list[dict[str, Any]]:
    text, number = {"type": "string", "minLength": 1}, {"type": "integer", "minimum": 0}
    return [
        {"name": name, "in": "path", "required": True, "schema": number if converter == "int" else text}
        for converter, name in VARIABLE.findall(rule.rule)
    ]


def _query_parameters(each: operation) -> list[dict[str, Any]]:
    if each.query is None:
        return []
    schemas = msgspec.json.schema_components([each.query], ref_template=REF)[1]
    schema = _plain(schemas[each.query.__name__])
    return [
        {"name": name, "in": "query", "required": name in schema.get("required", ()), "schema": field}
        for name, field in schema["properties"].items()
    ]


def _content(kind: Any, ref_of: Mapping[Any, Any], schema: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The entry `content` of a body: its media type and its schema. `schema` is used only if `kind` is a media type."""
    return {kind: {"schema": schema}} if isinstance(kind, str) else {JSON: {"schema": ref_of[kind]}}


def _plain(schema: dict[str, Any]) -> dict[str, Any]:
    """Convert a schema to dictionaries and lists. In patterns, replace `\\Z` by `$`, which JSON Schema requires."""
    return dict(msgspec.json.decode(msgspec.json.encode(schema).replace(rb"\\Z", b"$")))
