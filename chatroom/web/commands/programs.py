"""Bots and access tokens, which are printed once and known to nobody afterwards."""

from collections.abc import Callable
from typing import TypeVar

import click

from chatroom.base.models import Scope
from chatroom.people.tokens import SCOPES, USUAL
from chatroom.services import Services
from chatroom.web.commands.console import command, get_user

F = TypeVar("F", bound=Callable[..., None])


def _of_a_token(function: F) -> F:
    """Give a command the options of the access token that it makes."""
    days = click.option(
        "--days", type=click.IntRange(1, 3650), default=365, show_default=True, help="How long it is good."
    )
    scopes = click.option(
        "--scope",
        "scopes",
        type=click.Choice(list(SCOPES)),
        multiple=True,
        default=USUAL,
        show_default=True,
        help="What it may do; may be given several times.",
    )
    rooms = click.option(
        "--room", "rooms", multiple=True, help="The only room that it is for; may be given several times."
    )
    return days(scopes(rooms(function)))


@command("create-bot")
@click.argument("name")
@click.option("--display-name", help="What others see; the user name unless given.")
@_of_a_token
def create_bot(
    services: Services,
    name: str,
    *,
    display_name: str | None,
    days: int,
    scopes: tuple[Scope, ...],
    rooms: tuple[str, ...],
) -> None:
    """Make an account for a program, and print its token.

    It is shown as a bot and has no password. The access token is printed once.
    """
    user = services.people.accounts.create_bot(name, display_name or name)
    click.echo(services.people.sessions.create_token(user, label=name, days=days, scopes=scopes, rooms=rooms))


@command("create-token")
@click.argument("name")
@click.option("--label", required=True, help="What it is for, as the account page shows it.")
@_of_a_token
def create_token(
    services: Services, name: str, *, label: str, days: int, scopes: tuple[Scope, ...], rooms: tuple[str, ...]
) -> None:
    """Print an access token, to act as NAME with. It is shown once."""
    user = get_user(services, name)
    click.echo(services.people.sessions.create_token(user, label=label, days=days, scopes=scopes, rooms=rooms))
