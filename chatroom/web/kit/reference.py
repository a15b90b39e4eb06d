"""The API reference: the OpenAPI document, and the same as a page. No log-in needed."""

import json
from typing import Any

import msgspec
from flask import Blueprint, Response, current_app, make_response, render_template, request

from chatroom import __version__
from chatroom.web.kit.openapi import operation
from chatroom.web.kit.openapi_document import JSON, make_document
from chatroom.web.kit.services import services

blueprint = Blueprint("reference", __name__, url_prefix="/api")


class ShownField(msgspec.Struct):
    """A field or a parameter, in words."""

    name: str
    kind: str
    is_required: bool
    where: str = ""


class ShownOperation(msgspec.Struct):
    """An operation as the page shows it."""

    id: str
    method: str
    path: str
    scope: str
    summary: str
    description: str
    parameters: list[ShownField]
    body: list[ShownField]
    answers: list[tuple[str, str, str]]
    command: str


@blueprint.get("/openapi.json")
@operation(None, {200: dict[str, Any]})
def document() -> Response:
    """This document."""
    return Response(msgspec.json.encode(_document()), content_type=JSON)


@blueprint.get("/docs")
@operation(None, {200: "text/html"})
def page() -> Response:
    """The page that shows this document to people."""
    made = _document()
    shown = [
        _shown(method.upper(), path, each, made["components"]["schemas"])
        for path, methods in made["paths"].items()
        for method, each in methods.items()
    ]
    schemas = {name: _fields(schema) for name, schema in made["components"]["schemas"].items()}
    notes = {name: schema.get("description", "") for name, schema in made["components"]["schemas"].items()}
    return make_response(
        render_template("kit/reference.html", operations=shown, schemas=schemas, notes=notes, root=request.url_root)
    )


def _document() -> dict[str, Any]:
    return make_document(current_app, title=services.settings.site_name, version=__version__)


def _shown(method: str, path: str, each: dict[str, Any], schemas: dict[str, Any]) -> ShownOperation:
    content = each.get("requestBody", {}).get("content", {})
    body = _fields(schemas[name]) if (name := _name(content.get(JSON, {}).get("schema", {}))) else []
    answers = []
    for status, answered in each["responses"].items():
        media = answered.get("content", {})
        what = _name(media.get(JSON, {}).get("schema", {})) or ", ".join(media)
        answers.append((status, answered["description"], what))
    return ShownOperation(
        id=each["operationId"],
        method=method,
        path=path,
        scope=each.get("x-scope", ""),
        summary=each["summary"],
        description=each.get("description", ""),
        parameters=[
            ShownField(field["name"], _kind(field["schema"]), field["required"], field["in"])
            for field in each["parameters"]
        ],
        body=body,
        answers=sorted(answers),
        command=_command(method, path, each),
    )


def _command(method: str, path: str, each: dict[str, Any]) -> str:
    """The request as one types it in a shell."""
    lines = ["curl"] if method == "GET" else [f"curl -X {method}"]
    if "x-scope" in each:
        lines.append('-H "Authorization: Bearer $TOKEN"')
    for media, content in each.get("requestBody", {}).get("content", {}).items():
        lines.append(f"-H 'Content-Type: {media}'")
        if media == JSON:
            lines.append(f"--data '{json.dumps(content.get('example', {}))}'")
        else:
            lines.append("--data-binary @file")
    address = request.url_root.rstrip("/") + path.replace("{slug}", "lobby")
    return " \\\n  ".join([*lines, f"'{address}'"])


def _fields(schema: dict[str, Any]) -> list[ShownField]:
    required = schema.get("required", ())
    return [ShownField(name, _kind(field), name in required) for name, field in schema.get("properties", {}).items()]


def _kind(schema: dict[str, Any]) -> str:
    """A type in a few words."""
    if name := _name(schema):
        return name
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(_kind(each) for each in schema["anyOf"]))
    if "enum" in schema:
        return " or ".join(map(str, schema["enum"]))
    if schema.get("type") == "array":
        return f"list of {_kind(schema.get('items', {}))}"
    words = str(schema.get("type", "anything"))
    bounds = [
        f"{word} {schema[name]:,}"
        for name, word in (("minimum", "from"), ("maximum", "to"), ("minLength", "from"), ("maxLength", "to"))
        if name in schema and not (name == "minLength" and schema[name] == 1)
    ]
    return f"{words}, {' '.join(bounds)}" if bounds else words


def _name(schema: dict[str, Any]) -> str:
    return str(schema.get("$ref", "")).rpartition("/")[2]
