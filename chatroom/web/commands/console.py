"""Shared parts of the commands: the services and the output.

A command that is refused prints the reason and exits with status 1. Only `ChatroomError` is caught.
"""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import update_wrapper
from typing import Concatenate, ParamSpec

import click
import msgspec
from flask import current_app
from flask.cli import with_appcontext

from chatroom.base.errors import ChatroomError
from chatroom.base.logs import speak_any_alphabet
from chatroom.base.models import Room, User
from chatroom.mongo.embedded.folder import DataFolder, FolderInUse
from chatroom.mongo.embedded.record import read_record
from chatroom.services import Services

P = ParamSpec("P")
_Run = Callable[Concatenate[Services, P], None]


def command(name: str, *, is_prepared: bool = True) -> Callable[[_Run[P]], click.Command]:
    """Make a decorator for a command's function. If `is_prepared`, the command first creates indexes and the lobby."""

    def decorate(function: _Run[P]) -> click.Command:
        def run(*args: P.args, **kwargs: P.kwargs) -> None:
            with explained(), closing(open_beside(current_app.extensions["chatroom"])) as services:
                if is_prepared:
                    services.prepare()
                function(services, *args, **kwargs)

        return click.command(name)(with_appcontext(update_wrapper(run, function)))

    return decorate


@contextmanager
def explained() -> Iterator[None]:
    """Print the reason of a refusal in one line."""
    speak_any_alphabet()
    try:
        yield
    except ChatroomError as error:
        raise click.ClickException(str(error)) from error


def open_beside(services: Services) -> Services:
    """Open the services; if the site is running with its embedded database, connect to that database."""
    try:
        services.open()
    except FolderInUse:
        # The site's mongod runs already. Its record has the credentials; only the owner of the folder can read it.
        settings = services.settings
        uri = read_record(DataFolder(settings.data_path, lock=-1)).uri(settings.mongo_db)
        services = Services(msgspec.structs.replace(settings, mongo_uri=uri))
        services.open()
    return services


def get_user(services: Services, name: str) -> User:
    """Find the account with this user name."""
    user = services.people.users.find_by_username(name)
    if user is None:
        raise click.ClickException(f"There is no user named {name!r}.")
    return user


def get_room(services: Services, slug: str) -> Room:
    """Find the room with this slug."""
    room = services.rooms.store.find_by_slug(slug)
    if room is None:
        raise click.ClickException(f"There is no room with the address {slug!r}.")
    return room


def counted(number: int, one: str) -> str:
    """Return `1 room` or `2 rooms`."""
    return f"{number:,} {one}{'' if number == 1 else 's'}"


def show_progress() -> Callable[[str, int, int], None]:
    """Make a function that shows progress: on one line of a terminal, or every ten seconds in a log."""
    is_terminal = sys.stderr.isatty()
    pause = 0.2 if is_terminal else 10.0
    next_at = time.monotonic() + pause

    def show(name: str, done: int, expected: int) -> None:
        nonlocal next_at
        is_done = done == expected
        if is_done or time.monotonic() >= next_at:
            next_at = time.monotonic() + pause
            text = f"{name}: {done:,}" if is_done else f"{name}: {done:,} of {max(done, expected):,}"
            click.echo(f"\r{text:60}" if is_terminal else text, err=True, nl=is_done or not is_terminal)

    return show
