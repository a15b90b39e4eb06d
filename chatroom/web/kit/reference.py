"""The API reference: the OpenAPI document as JSON, and as a page. No log-in is needed."""

import json
from typing import Any

import msgspec
from flask import Blueprint, Response, current_app, request

from chatroom import __version__
from chatroom.web.kit.openapi import JSON, make_document, operation
from chatroom.web.kit.pages import render
from chatroom.web.kit.services import services

blueprint = Blueprint("reference", __name__, url_prefix="/api")


@blueprint.get("/openapi.json")
@operation(None, {200: dict[str, Any]})
def get_document() -> Response:
    """This document."""
    return Response(msgspec.json.encode(_document()), content_type=JSON)


@blueprint.get("/docs")
@operation(None, {200: "text/html"})
def show_reference() -> Response:
    """The page that shows this document to people."""
    made = _document()
    schemas = made["components"]["schemas"]
    shown = [
        _shown(method.upper(), path, each, schemas)
        for path, methods in made["paths"].items()
        for method, each in methods.items()
    ]
    types = [(name, schema.get("description", ""), _fields(schema)) for name, schema in schemas.items()]
    return render("kit/reference.html", operations=shown, types=types, schemas=schemas)


def _document() -> dict[str, Any]:
    return make_document(current_app, title=services.moderation.naming.name, version=__version__)


def _shown(method: str, path: str, each: dict[str, Any], schemas: dict[str, Any]) -> dict[str, Any]:
    """The parts of an operation that the page shows."""
    content = each.get("requestBody", {}).get("content", {})
    name = _name_in(content)
    answers = [
        (status, answered["description"], _name_in(media) or ", ".join(media))
        for status, answered in sorted(each["responses"].items())
        for media in [answered.get("content", {})]
    ]
    shown = {
        "method": method,
        "path": path,
        "parameters": [
            (
                field["name"],
                _kind(field["schema"]),
                "in the path" if field["in"] == "path" else _need(field["required"]),
            )
            for field in each["parameters"]
        ],
        "body": _fields(schemas[name]) if name else [],
        "answers": answers,
        "command": _command(method, path, each),
    }
    return each | shown


def _command(method: str, path: str, each: dict[str, Any]) -> str:
    """A `curl` command that sends the request."""
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


def _fields(schema: dict[str, Any]) -> list[tuple[str, str, str]]:
    """The name and type of each field, and whether the field is required."""
    required = schema.get("required", ())
    return [(name, _kind(field), _need(name in required)) for name, field in schema.get("properties", {}).items()]


def _need(is_required: bool) -> str:
    return "required" if is_required else "optional"


def _kind(schema: dict[str, Any]) -> str:
    """Describe a type in a few words."""
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


def _name_in(content: dict[str, Any]) -> str:
    """The name of the type of a JSON body."""
    return _name(content.get(JSON, {}).get("schema", {}))


def _name(schema: dict[str, Any]) -> str:
    return str(schema.get("$ref", "")).rpartition("/")[2]
