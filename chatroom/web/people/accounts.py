"""Register, log in and out, reset the password, and manage the account.

After a refusal, the page is shown again with the input, except passwords.
"""

import msgspec
from flask import Blueprint, Response, abort, flash, redirect, request, url_for

from chatroom.base.errors import Refused, Unavailable
from chatroom.base.models import User
from chatroom.people.accounts import Registration
from chatroom.web.kit.filters import full_stop
from chatroom.web.kit.forms import RULES
from chatroom.web.kit.lanes import scarce
from chatroom.web.kit.login import client_address, current_user, log_in, log_out, login_required
from chatroom.web.kit.pages import Page, Shown, form_page, redirect_to, render
from chatroom.web.kit.services import services
from chatroom.web.people.forms import LoginForm, PasswordForm, PictureForm, RegisterForm, ResetForm
from chatroom.web.rooms.invitations import code_in, code_of, invitation_to

CLOSED = "Registration is closed."

blueprint = Blueprint("accounts", __name__)


def _register_page(form: RegisterForm | None = None, status: int = 200, msg: str = "") -> Response:
    form = form or RegisterForm(username=request.args.get("username", "")[:64])
    invitation = invitation_to(form.next.data)
    admission = services.moderation.admission
    # A refusal is shown even while the database does not answer.
    closed = (admission.shown_registration() if msg else admission.registration()) == "closed"
    closed = closed and not (invitation and invitation.admits_strangers)
    return render(
        "register.html",
        403 if closed else status,
        form=form,
        invitation=invitation,
        msg=msg,
        rules=RULES,
        closed=closed,
        is_first=not closed and _needs_first_code(),
    )


@blueprint.route("/register", methods=["GET", "POST"])
@scarce("passwords")
@form_page(_register_page, RegisterForm)
def register(form: RegisterForm) -> Page:
    """Create an account, and log in to it at once. A person who comes by a room link becomes a member of the room."""
    code, pasted = code_in(form.next.data), code_of(form.invite.data or "")
    wanted, address = msgspec.structs.replace(form.read(Registration), invite=pasted), client_address()
    invitation = invitation_to(form.next.data)
    if not (invitation and invitation.admits_strangers) and (other := services.moderation.invitations.find(pasted)):
        code, invitation = pasted, other  # the field takes room links too
    if invitation and (invitation.admits_strangers or code == pasted):
        user, room = services.moderation.invitations.register(code, wanted, address)
        _welcome(user)
        return redirect_to("pages.room", slug=room.slug)
    if services.moderation.admission.registration() == "closed":
        raise Refused("forbidden", CLOSED)
    _welcome(services.people.accounts.register(wanted, address))
    return redirect(form.next.data or url_for("pages.chatroom"), 303)


def _login_page(form: LoginForm | None = None, **shown: Shown) -> Response:
    form = form or LoginForm()
    return render("login.html", form=form, invitation=invitation_to(form.next.data), **shown)


@blueprint.route("/login", methods=["GET", "POST"])
@scarce("passwords")
@form_page(_login_page, LoginForm)
def login(form: LoginForm) -> Page:
    """Begin a session."""
    _welcome(services.people.accounts.authenticate(form.username.data, form.password.data, client_address()))
    return redirect(form.next.data or url_for("pages.chatroom"), 303)


def _reset_form(secret: str) -> ResetForm:
    return ResetForm(services.people.resets.find_user(secret))


def _reset_page(secret: str, form: ResetForm | None = None, **shown: Shown) -> Response:
    form = form or _reset_form(secret)
    return render("people/reset.html", form=form, username=form.user.username, rules=RULES, **shown)


@blueprint.route("/reset/<secret>", methods=["GET", "POST"])
@scarce("passwords")
@form_page(_reset_page, _reset_form)
def reset(form: ResetForm, secret: str) -> Page:
    """Set a new password by a reset link."""
    services.people.resets.use(secret, form.password.data or "")
    return redirect_to("accounts.login", "The new password was set. Log in with it.")


@blueprint.post("/logout")
def logout() -> Page:
    """End this session in the browser and in the database."""
    log_out()
    return redirect_to("pages.index")


def _password_form() -> PasswordForm:
    return PasswordForm(current_user.user)


@blueprint.get("/account")
@login_required
def account(form: PasswordForm | PictureForm | None = None, status: int = 200, msg: str = "") -> Response:
    """Show the user's names, picture and sessions, and the form for a new password."""
    return render(
        "people/account.html",
        status,
        password_form=form if isinstance(form, PasswordForm) else _password_form(),
        sessions=[each for each in services.people.sessions.list_for(current_user.user) if each.kind == "browser"],
        rules=RULES,
        has_picture=services.people.avatars.has(current_user.id),
        msg="" if isinstance(form, PictureForm) else msg,
        picture_msg=msg if isinstance(form, PictureForm) else "",
    )


@blueprint.post("/account/password")
@scarce("passwords")
@login_required
@form_page(account, _password_form)
def change_password(form: PasswordForm) -> Page:
    """Change the password. All sessions and access tokens end. This browser begins a new session."""
    user = services.people.accounts.change_password(
        current_user.user, form.current_password.data or "", form.password.data, client_address()
    )
    log_in(user)
    return redirect_to("accounts.account", "The password was changed. Every other browser was logged out.")


@blueprint.post("/account/sessions/<session_id>/end")
@login_required
def end_session(session_id: str) -> Page:
    """End one of the user's own sessions."""
    if session_id == current_user.session.id:
        return logout()
    if not services.people.sessions.end(current_user.id, session_id):
        abort(404)
    return redirect_to("accounts.account", "The session was ended.")


@blueprint.post("/account/sessions/end-others")
@login_required
def end_other_sessions() -> Page:
    """End all of the user's sessions except this one."""
    services.people.sessions.end_all(current_user.id, but=current_user.session.id)
    return redirect_to("accounts.account", "Every other browser was logged out.")


def _welcome(user: User) -> None:
    """Log a user in. The next page greets the user, once."""
    log_in(user)
    flash(f"Hello, {user.display_name}{full_stop(user.display_name)} Come in, the light is on.", "success")


def _needs_first_code() -> bool:
    try:
        return services.people.accounts.needs_first_code()
    except Unavailable:  # the page shows this error, or the response to the form does
        return False
