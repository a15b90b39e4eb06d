"""Show errors as a page, and as JSON under /api and /hooks, without internal details."""

import logging
import math
from typing import Any, TypeVar

from flask import Flask, Response, g, jsonify, make_response, render_template, request
from flask_login import current_user
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException, SecurityError
from werkzeug.wrappers import Response as BaseResponse

from chatroom.base.errors import Refused, SettingsError, Unavailable
from chatroom.messages.rules import RULES

log = logging.getLogger(__name__)

Answer = TypeVar("Answer", bound=BaseResponse)

STATUS = {
    "wrong_password": 401,
    "forbidden": 403,
    "banned": 403,
    "newcomer": 403,
    "rejected": 403,
    "withdrawn": 409,
    "too_many_held": 409,
    "last_administrator": 409,
    "out_of_scope": 403,
    "not_found": 404,
    "taken": 409,
    "too_many_pins": 409,
    "too_many_reactions": 409,
    "too_large": 413,
    "conflict": 409,
    "too_fast": 429,
    "busy": 503,
    "full": 507,
    "unavailable": 503,
} | {rule.reason: 403 for rule in RULES}
"""The status for each reason of a refusal. All other reasons have the status 400."""

REASON = {
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
    413: "too_long",
    429: "too_fast",
    500: "unavailable",  # the outcome is unknown, as after 503
    503: "unavailable",
}

TITLES = {
    400: "Bad request",
    401: "Please log in",
    403: "Not allowed",
    404: "Not found",
    405: "Not allowed",
    409: "Conflict",
    413: "Too large",
    429: "Too many requests",
    500: "Something went wrong",
    503: "Not available right now",
    507: "No space left",
}
MESSAGES = {
    403: "You are not allowed to do this.",
    404: "The page does not exist, or you may not see it.",
    405: "This address does not accept this method.",
    413: "The request is too large.",
    500: "This is an error of the site. It was logged.",
}
STALE_FORM = "This form has expired. Please go back, reload the page and try again."
WRONG_HOST = "Bad request: this site does not serve this host.\n"


def register(app: Flask) -> None:
    """Install the error handlers."""
    app.register_error_handler(Refused, _refused)
    app.register_error_handler(Unavailable, _refused)
    app.register_error_handler(SettingsError, _misconfigured)
    app.register_error_handler(CSRFError, lambda _: explain(400, STALE_FORM))
    # Plain text, because a page needs a trusted host for its links.
    app.register_error_handler(SecurityError, lambda _: Response(WRONG_HOST, 400, mimetype="text/plain"))
    app.register_error_handler(HTTPException, _http)


def status_of(error: Refused | Unavailable) -> int:
    """The HTTP status for a refusal."""
    return STATUS.get(error.reason, 400)


def with_retry_after(response: Answer, seconds: float | None) -> Answer:
    """Add the header `Retry-After`, in whole seconds, rounded up."""
    if seconds is not None:
        response.headers["Retry-After"] = str(math.ceil(seconds))
    return response


def explain(status: int, message: str, *, reason: str = "", retry_after: float | None = None) -> Response:
    """Make the response for an error: JSON under /api and /hooks, otherwise a page."""
    if request.path.startswith(("/api/", "/hooks/")):
        error: dict[str, object] = {"reason": reason or REASON.get(status, "invalid"), "message": message}
        if retry_after is not None:
            error["retry_after"] = retry_after
        response = jsonify(error=error)
    else:
        title = TITLES.get(status, "Bad request")
        shown = {"code": status, "title": title, "message": message, "retry_after": retry_after}
        response = make_response(_page_for_reader(**shown) if status < 500 else _plain_page(**shown))
    response.status_code = status
    return with_retry_after(response, retry_after)


def _page_for_reader(**shown: Any) -> str:
    """The page with the header of the logged-in user, unless the database does not answer."""
    try:
        return render_template("error.html", is_known=current_user.is_authenticated, **shown)
    except Unavailable:
        return _plain_page(**shown)


def _plain_page(**shown: Any) -> str:
    return render_template("error.html", is_known=False, **shown)


def _refused(error: Refused | Unavailable) -> Response:
    g.refusal = error.reason
    return explain(status_of(error), str(error), reason=error.reason, retry_after=error.retry_after)


def _misconfigured(error: SettingsError) -> Response:
    log.error("the settings do not work: %s", error)
    return explain(503, "The site is not configured correctly. Its log says why.")


def _http(error: HTTPException) -> Response:
    status = error.code or 500
    said = error.description if status in {403, 413} and error.description != type(error).description else None
    response = explain(status, said or MESSAGES.get(status, "The request is not valid."))
    for name, value in error.get_headers():
        if name in {"Allow", "Retry-After"}:
            response.headers[name] = value
    return response
