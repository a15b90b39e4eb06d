"""`GET /metrics`, for Prometheus. Without the right token or address, the page does not exist."""

import hmac
import platform
import time
from collections.abc import Mapping

from flask import Blueprint, Flask, Response, abort, g, request

from chatroom import __version__
from chatroom.base.addresses import is_within, networks_of
from chatroom.base.config import Settings
from chatroom.site.metrics import CONTENT_TYPE
from chatroom.web.kit.health import READY_SECONDS
from chatroom.web.kit.login import client_address
from chatroom.web.kit.services import services

blueprint = Blueprint("metrics", __name__)


@blueprint.get("/metrics")
def metrics() -> Response:
    """Answer with the counts of all processes, and the figures of the site."""
    if not _may_read(services.settings):
        abort(404)
    figures, database = _figures()
    versions = {"version": __version__, "python": platform.python_version(), "database": database}
    return Response(services.site.metrics.render(figures, versions), content_type=CONTENT_TYPE)


def count_requests(app: Flask) -> None:
    """Count each request with its route, its status and its time."""

    @app.before_request
    def begin() -> None:
        g.began = time.perf_counter()

    @app.after_request
    def end(response: Response) -> Response:
        if hasattr(g, "began"):
            counts = services.site.metrics
            counts.answered(request.endpoint or "none", response.status_code, time.perf_counter() - g.began)
            if reason := g.get("refusal"):
                counts.refused(reason)
        return response


def _may_read(settings: Settings) -> bool:
    """Whether the request has the token, or comes from one of the networks."""
    expected = f"Bearer {settings.metrics_token}".encode()
    given = request.headers.get("Authorization", "").encode("latin-1", "replace")
    if settings.metrics_token and hmac.compare_digest(expected, given):
        return True
    # Behind an unknown proxy, every request seems to come from this machine.
    if "X-Forwarded-For" in request.headers and not settings.trusted_proxies:
        return False
    return is_within(client_address(), networks_of(settings.metrics_networks))


def _figures() -> tuple[Mapping[str, float], str]:
    """Read the figures of the site, and the version of the database."""
    if not services.database.is_answering(READY_SECONDS):
        return {"database_up": 0}, "unknown"
    site = services.moderation.overview()
    figures = {
        "database_up": 1,
        "users": site.people,
        "users_here": site.here,
        "rooms": site.rooms,
        "messages": site.messages,
        "files": site.files,
        "open_reports": site.reports,
        "held_messages": site.held,
        "stored_bytes": site.stored_bytes,
    }
    return figures, site.database
