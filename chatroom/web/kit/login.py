"""The logged-in user. Pages find the user by the session cookie, the API by the cookie or an access token."""

import re
from typing import Any, cast

import flask_login
from flask import Blueprint, Flask, abort, request, session
from flask_login import LoginManager, UserMixin, login_user, logout_user
from flask_login import current_user as flask_login_user

from chatroom.base.access import Access
from chatroom.base.errors import Refused
from chatroom.base.models import Author, Person, Session, User
from chatroom.names import fold
from chatroom.people.sessions import Kind
from chatroom.web.kit.lanes import tell_person
from chatroom.web.kit.pages import Page, redirect_to
from chatroom.web.kit.security import View
from chatroom.web.kit.services import services

MOST_ALIKE = 5
"""How many people a refusal proposes, whose name is like the one that was written."""

BROWSERS = {  # in this order, because a user agent may also name browsers further down this list
    "Edg": "Edge",
    "OPR": "Opera",
    "Vivaldi": "Vivaldi",
    "SamsungBrowser": "Samsung Internet",
    "Firefox": "Firefox",
    "FxiOS": "Firefox",
    "CriOS": "Chrome",
    "Chrome": "Chrome",
    "Safari": "Safari",
    "w3m": "w3m",
    "Lynx": "Lynx",
    "curl": "curl",
}
SYSTEMS = {
    "Android": "Android",
    "iPhone": "iPhone",
    "iPad": "iPad",
    "CrOS": "ChromeOS",
    "Windows": "Windows",
    "Mac OS X": "macOS",
    "Linux": "Linux",
}


class LoggedIn(UserMixin):  # type: ignore[misc]  # Flask-Login has no types
    """A user who is logged in."""

    def __init__(self, user: User, session: Session, secret: str = "") -> None:
        self.user = user
        self.session = session
        self._secret = secret
        self.id = user.id
        self.username = user.username
        self.display_name = user.display_name
        self.role = user.role

    def get_id(self) -> str:
        """The session's secret, which the cookie contains. A user's id is public, and could not be revoked."""
        return self._secret

    @property
    def person(self) -> Person:
        """The user as others see them."""
        return self.user.person

    @property
    def author(self) -> Author:
        """The user as the author of a message."""
        return self.person.author


current_user = cast("LoggedIn", flask_login_user)


def login_required(view: View) -> View:
    """Redirect visitors to the log-in page. After the log-in, they return to the page of the view."""
    return cast("View", flask_login.login_required(view))


def page_blueprint(name: str, **options: Any) -> Blueprint:
    """Make a blueprint of pages that all need a log-in."""
    blueprint = Blueprint(name, __name__, **options)
    blueprint.before_request(login_required(lambda: None))
    return blueprint


def register(app: Flask) -> None:
    """Install Flask-Login."""
    manager = LoginManager()
    # `init_app` is not called: it would read the database for every page, even for the page that reports the database
    # as unavailable. It would also add the header `Vary: Cookie` to static files.
    app.login_manager = manager  # type: ignore[attr-defined]
    manager.session_protection = None  # the protection compares the address, which often changes for phones
    manager.user_loader(_load)
    manager.unauthorized_handler(redirect_to_login)
    app.jinja_env.globals["current_user"] = current_user


def log_in(user: User) -> None:
    """Begin a new session in this browser. It replaces an earlier session of the browser."""
    log_out()
    secret = services.people.sessions.begin(user, label=label_of(request.user_agent.string), address=client_address())
    found = services.people.sessions.find_valid(secret, "browser")
    if found is None:  # the password has just been changed
        abort(401)
    session.permanent = True
    login_user(LoggedIn(user, found[0], secret))
    session.pop("_id", None)  # Flask-Login's long browser fingerprint, which nothing uses


def label_of(user_agent: str) -> str:
    """The names of the browser and the system if they are known, for example `Firefox on Linux`."""
    browser = next((name for mark, name in BROWSERS.items() if re.search(rf"\b{mark}\w*/", user_agent)), "")
    system = next((name for mark, name in SYSTEMS.items() if mark in user_agent), "")
    if browser and system:
        return f"{browser} on {system}"
    return browser or system


def log_out() -> None:
    """End this browser's session in the database and in the cookie."""
    if flask_login_user.is_authenticated:
        services.people.sessions.end(current_user.id, current_user.session.id)
    logout_user()
    session.clear()


def find_by_token(secret: str) -> LoggedIn | None:
    """Find the user of an access token."""
    return _find(secret, "token")


def client_address() -> str:
    """The address of the client, according to the trusted proxies."""
    return request.remote_addr or ""


def redirect_to_login() -> Page:
    """Redirect to the log-in page. After the log-in, the user returns to the requested page."""
    wanted = request.full_path.removesuffix("?") if request.method in {"GET", "HEAD"} else request.path
    return redirect_to("accounts.login", next=wanted)


def get_access(slug: str) -> Access:
    """The room and the user's rights in it. Raise `Refused` if the user is not a member."""
    return services.rooms.access.get_for(current_user.id, slug)


def get_named(username: str) -> User:
    """Return the account with this user name. Raises `Refused` (`not_found`)."""
    user = services.people.users.find_by_username(username)
    if user is None:
        raise Refused("not_found", f"There is no user named {username}.")
    return user


def find_called(name: str) -> User | None:
    """Return the account with this user name, with or without `@`, or with this display name."""
    name = name.strip().removeprefix("@")
    alike = services.people.directory.find_named(name)[:1]
    exact = (user for user in alike if fold(name) in {fold(user.username), fold(user.display_name)})
    return services.people.users.find_by_username(name) or next(exact, None)


def get_called(name: str) -> User:
    """Return the account with this name, for a form. Raises `Refused` (`not_found`).

    The refusal lists the people who are named like it.
    """
    if user := find_called(name):
        return user
    name = name.strip().removeprefix("@")
    alike = services.people.directory.find_named(name) if name else []
    said = f"There is no user named {name}. Write the user name, such as @ben."
    if alike:
        some = ", ".join(f"{user.display_name} (@{user.username})" for user in alike[:MOST_ALIKE])
        said = f"Whom do you mean? {some}. Write the user name, such as @{alike[0].username}."
    raise Refused("not_found", said)


def _load(secret: str) -> LoggedIn | None:
    return _find(secret, "browser") if isinstance(secret, str) else None


def _find(secret: str, kind: Kind) -> LoggedIn | None:
    found = services.people.sessions.find_valid(secret, kind)
    if found is None:
        return None
    tell_person(found[1].id)
    return LoggedIn(found[1], found[0], secret if kind == "browser" else "")
