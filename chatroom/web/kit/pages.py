"""Pages that show why a form was refused: the message, the HTTP status, and what the user typed.

Each page with forms has a function `show(form=None, **shown)`, which is often the GET view. A view that changes
something has a decorator of this module. After a refusal, the decorator calls `show`, with the URL variables for which
`show` has parameters.
"""

import inspect
from collections.abc import Callable, Mapping
from functools import cache, wraps
from typing import Any, cast

from flask import Response, flash, g, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from chatroom.base.errors import Refused, Unavailable
from chatroom.web.kit.errors import status_of, with_retry_after
from chatroom.web.kit.forms import Form
from chatroom.web.kit.security import View, exempt_from_csrf

Page = Response | BaseResponse
Show = Callable[..., Page]
Shown = Any
"""The values that a page passes to `render`: the `status` and `msg` of a refusal, or a value that is shown once."""

MARK = "shows_refusals"


def render(template: str, status: int = 200, **context: Any) -> Response:
    """Render a template as a response."""
    return make_response(render_template(template, **context), status)


def redirect_to(endpoint: str, said: str = "", **address: Any) -> Page:
    """Redirect to a page that shows `said` as a message of success."""
    if said:
        flash(said, "success")
    return redirect(url_for(endpoint, **address), 303)


def refusals_on(show: Show) -> Callable[[View], View]:
    """Make a decorator that calls `show` if the view raises a refusal."""

    def decorate(view: View) -> View:
        @wraps(view)
        def answer(**address: Any) -> Page:
            return _show_refusal(lambda: view(**address), show, address)

        return cast("View", _marked(answer))

    return decorate


def form_page(show: Show, make_form: Callable[..., Form] = Form) -> Callable[[View], View]:
    """Make a decorator that calls the view with a valid form, and calls `show` on GET and after a refusal.

    An expired form is shown again with its input. `make_form` gets the URL variables; the view and `show` also get
    `form`. Each of these functions gets only the values for which it has parameters.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def answer(**address: Any) -> Page:
            if request.method != "POST":
                return show(**_named(show, address))
            form = make_form(**_named(make_form, address))
            given = {"form": form, **address}

            def check_and_do() -> Page:
                form.check()
                return cast("Page", view(**_named(view, given)))

            return _show_refusal(check_and_do, show, given)

        return cast("View", exempt_from_csrf(_marked(answer)))

    return decorate


def _show_refusal(do: Callable[[], Page], show: Show, given: Mapping[str, Any]) -> Page:
    try:
        return do()
    except (Refused, Unavailable) as error:
        g.refusal = error.reason
        form: Form | None = given.get("form")
        shown = form.explain(error) if form is not None else error
        page = show(**_named(show, given), status=status_of(shown), msg=str(shown))
        return with_retry_after(page, shown.retry_after)


def _marked(answer: Callable[..., Page]) -> Any:
    setattr(answer, MARK, True)
    return answer


def _named(function: Callable[..., object], given: Mapping[str, Any]) -> dict[str, Any]:
    """Select the values for which a function has parameters."""
    return {name: given[name] for name in _parameters(function) if name in given}


@cache
def _parameters(function: Callable[..., object]) -> tuple[str, ...]:
    return tuple(inspect.signature(function).parameters)
