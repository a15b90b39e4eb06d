"""A refusal comes back on the page that has the form, with its status, and with what was typed."""

from typing import Any, ClassVar

import pytest
from flask import Flask, Response, make_response, render_template_string
from wtforms import PasswordField, StringField

from chatroom.base.errors import Refused, Unavailable
from chatroom.web.kit.forms import INCOMPLETE, SEE_BELOW, STALE, CompleteForm
from chatroom.web.kit.pages import MARK, Page, form_page, refusals_on
from tests.conftest import visitor
from tests.visitors import Visitor

TEMPLATE = "{{ number }}|{{ msg }}|{{ form.word.data or '' }}|{{ form.password.errors | join }}|{{ form.csrf_token }}"
ANSWERS: dict[str, Exception] = {
    "slowly": Refused("too_fast", "Slowly.", retry_after=2.2),
    "taken": Refused("taken", "Somebody has it."),
    "mine": Refused("wrong_password", "Wrong."),
    "away": Unavailable("The database is away."),
}


class MadeUpForm(CompleteForm):
    beside: ClassVar = {"wrong_password": ("password", "This is not your password.")}

    word = StringField()
    password = PasswordField()


def show(number: int, form: MadeUpForm | None = None, status: int = 200, msg: str = "") -> Response:
    form = form or MadeUpForm()
    return make_response(render_template_string(TEMPLATE, form=form, msg=msg, number=number), status)


@pytest.fixture
def visitor_of_form(app: Flask) -> Visitor:
    @app.route("/made-up/<int:number>/<other>", methods=["GET", "POST"])
    @form_page(show, MadeUpForm)
    def made_up(form: MadeUpForm, number: int) -> Page:
        if form.word.data in ANSWERS:
            raise ANSWERS[form.word.data]
        return make_response(f"done {number}")

    @app.get("/asked/<int:number>")
    @refusals_on(show)
    def asked(number: int) -> Page:
        raise Refused("invalid", f"Not {number}.")

    return visitor(app)


def send(somebody: Visitor, **typed: Any) -> Any:
    fields = {"csrf_token": somebody.fields("/made-up/7/x")["csrf_token"], "password": "secret", **typed}
    return somebody.post("/made-up/7/x", data=fields)


def test_the_view_is_called_once_the_form_is_right(visitor_of_form: Visitor) -> None:
    answer = send(visitor_of_form, word="hello")
    assert (answer.status_code, answer.text) == (200, "done 7")


@pytest.mark.parametrize(
    ("typed", "status", "msg", "wait"),
    [
        ({"word": "slowly"}, 429, "Slowly.", "3"),
        ({"word": "taken"}, 409, "Somebody has it.", None),
        ({"word": "away"}, 503, "The database is away.", "5"),
        ({"word": "hello", "csrf_token": "forged"}, 400, STALE, None),
        ({}, 400, INCOMPLETE, None),
    ],
)
def test_the_page_is_shown_again(
    visitor_of_form: Visitor, typed: dict[str, str], status: int, msg: str, wait: str | None
) -> None:
    answer = send(visitor_of_form, **typed)
    assert answer.status_code == status
    assert answer.text.startswith(f"7|{msg}|{typed.get('word', '')}||")
    assert answer.headers.get("Retry-After") == wait


def test_errors_of_a_field_are_shown_next_to_it(visitor_of_form: Visitor) -> None:
    answer = send(visitor_of_form, word="mine")
    assert answer.status_code == 400
    assert answer.text.startswith(f"7|{SEE_BELOW}|mine|This is not your password.|")


def test_a_refused_query_is_shown_again(visitor_of_form: Visitor) -> None:
    answer = visitor_of_form.get("/asked/3")
    assert answer.status_code == 400
    assert answer.text.startswith("3|Not 3.|")


# The views that change something and have no page on which their refusals are shown, and why.
WITHOUT_A_PAGE = {
    "accounts.logout": "nothing is typed",
    "accounts.end_session": "nothing is typed",
    "accounts.end_other_sessions": "nothing is typed",
    "tokens.end": "nothing is typed",
    "admin.revoke_invite": "nothing is typed",
    "admin.hide_first_steps": "nothing is typed",
    "rooms.join": "nothing is typed; the page has many forms, on many places in the list",
    "invitations.accept": "nothing is typed",
    "held.withdraw_by_form": "nothing is typed",
    "webhooks.remove": "nothing is typed",
    "webhooks.receive": "programs get JSON",
    "notifications.save": "nothing is typed",
    "notifications.set_preference": "what is chosen is one of three, and is said on the page that it redirects to",
}


def test_no_form_forgets_its_page(app: Flask) -> None:
    changing = {
        rule.endpoint
        for rule in app.url_map.iter_rules()
        if "POST" in (rule.methods or ()) and not rule.rule.startswith("/api/")
    }
    assert {name for name in changing if not hasattr(app.view_functions[name], MARK)} == set(WITHOUT_A_PAGE)
