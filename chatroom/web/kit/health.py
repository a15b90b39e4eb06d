"""Health checks: whether the process runs, and whether it can serve."""

from flask import Blueprint, Response

from chatroom.web.kit.services import services

READY_SECONDS = 1.0

blueprint = Blueprint("health", __name__)


@blueprint.get("/livez")
def livez() -> Response:
    """Answer that the process runs. The state of the database does not matter."""
    return Response("alive\n", content_type="text/plain; charset=utf-8")


@blueprint.get("/readyz")
def readyz() -> Response:
    """Whether the database answers within a second. pymongo looks every half second, so this takes up to 1.5 s."""
    if services.database.is_answering(READY_SECONDS):
        return Response("ready\n", content_type="text/plain; charset=utf-8")
    return Response("the database does not answer\n", 503, content_type="text/plain; charset=utf-8")
