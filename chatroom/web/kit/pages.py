"""Pages, and the one way in which a refusal is shown on them: its sentence, its status, and all that was typed.

A page with forms is a function that shows it: `show(form=None, status=200, msg="")`, and whatever it names of the
address. A view that changes something says on which page it stands; where it refuses, that page is shown again.
"""

import inspect
from collections.abc import Callable, Mapping
from functools import cache, wraps
from typing import Any, TypeVar, cast

from flask import Response, make_response, render_template, request
from werkzeug.wrappers import Response as BaseResponse

from chatroom.base.errors import Refused, Unavailable
from chatroom.web.kit.errors import retry_after_of, status_of, with_retry_after
from chatroom.web.kit.forms import Form
from chatroom.web.kit.security import exempt_from_csrf

Page = Response | BaseResponse
Show = Callable[..., Page]
View = TypeVar("View", bound=Callable[..., Page])

MARK = "shows_refusals"


def render(template: str, status: int = 200, **context: Any) -> Response:
    """A template as an answer of this status."""
    response = make_response(render_template(template, **context))
    response.status_code = status
    return response


def refusals_on(show: Show) -> Callable[[View], View]:
    """Show this page again where the view refuses what was asked of it."""

    def decorate(view: View) -> View:
        @wraps(view)
        def answer(**address: Any) -> Page:
            return _show_refusal(lambda: view(**address), show, address)

        return cast("View", _marked(answer))

    return decorate


def form_page(show: Show, make_form: Callable[..., Form] = Form) -> Callable[[View], View]:
    """Call the view once its form is filled in right; until then, and where the view refuses, show this page.

    The form checks the CSRF token, so that one that is out of date comes back with what was typed. The view gets what
    it names: the form, and the variables of the address.
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
                return view(**_named(view, given))

            return _show_refusal(check_and_do, show, given)

        return cast("View", exempt_from_csrf(_marked(answer)))

    return decorate


def _show_refusal(do: Callable[[], Page], show: Show, given: Mapping[str, Any]) -> Page:
    try:
        return do()
    except (Refused, Unavailable) as error:
        form: Form | None = given.get("form")
        shown = form.explain(error) if form is not None else error
        page = show(**_named(show, given), status=status_of(shown), msg=str(shown))
        return with_retry_after(page, retry_after_of(shown))


def _marked(answer: Callable[..., Page]) -> Any:
    setattr(answer, MARK, True)
    return answer


def _named(function: Callable[..., object], given: Mapping[str, Any]) -> dict[str, Any]:
    """Those of the values that a function has parameters for."""
    return {name: given[name] for name in _parameters(function) if name in given}


@cache
def _parameters(function: Callable[..., object]) -> tuple[str, ...]:
    return tuple(inspect.signature(function).parameters)
