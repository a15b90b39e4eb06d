"""Commands for bots and access tokens, which are printed only once."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

from chatroom.people.tokens import SCOPES, USUAL
from chatroom.services import Services
from chatroom.web.commands.console import command, get_user

F = TypeVar("F", bound=Callable[..., None])


def _of_a_token(function: F) -> F:
    """Add the options of the new access token to a command."""
    days = click.option(
        "--days", type=click.IntRange(1, 3650), default=365, show_default=True, help="Days until it expires."
    )
    scopes = click.option(
        "--scope",
        "scopes",
        type=click.Choice(list(SCOPES)),
        multiple=True,
        default=USUAL,
        show_default=True,
        help="A scope of the token; repeatable.",
    )
    rooms = click.option("--room", "rooms", multiple=True, help="A room that the token is limited to; repeatable.")
    return days(scopes(rooms(function)))


@command("create-bot")
@click.argument("name")
@click.option("--display-name", help="The name that others see; by default, the user name.")
@_of_a_token
def create_bot(services: Services, /, name: str, display_name: str | None, **options: Any) -> None:
    """Create a program's account and print its token.

    It is shown as a bot and has no password. The access token is printed once.
    """
    user = services.people.accounts.create_bot(name, display_name or name)
    click.echo(services.people.sessions.create_token(user, label=name, **options))


@command("create-token")
@click.argument("name")
@click.option("--label", required=True, help="The label of the token on the account page.")
@_of_a_token
def create_token(services: Services, /, name: str, **options: Any) -> None:
    """Create and print an access token of NAME. It is shown once."""
    click.echo(services.people.sessions.create_token(get_user(services, name), **options))
