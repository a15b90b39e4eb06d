"""Account commands: create, list, passwords, roles, sessions, tokens, bots, delete; registration and invites."""

import sys
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, cast, get_args

import click

from chatroom.base.config import Settings
from chatroom.base.durations import until
from chatroom.base.logs import escaped
from chatroom.base.models import Role
from chatroom.people.accounts import Registration
from chatroom.people.tokens import SCOPES, USUAL
from chatroom.services import Services
from chatroom.web.commands.console import command, get_user, show_progress
from chatroom.web.kit.configuration import words_of


def _new_password(_context: click.Context, _option: click.Parameter, is_on_stdin: bool) -> str:
    """Read the password before the database is opened, so that the site can start while the command waits for input."""
    if is_on_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    return str(click.prompt("Password", hide_input=True, confirmation_prompt=True))


_password = click.option(
    "--password-stdin",
    "password",
    is_flag=True,
    callback=_new_password,
    help="Read the password from standard input instead of a prompt.",
)


@command("create-user")
@click.argument("name")
@click.option("--display-name", help="The name that others see; by default, the user name.")
@click.option("--role", type=click.Choice(get_args(Role)), default="member", show_default=True)
@_password
def create_user(services: Services, name: str, display_name: str | None, role: str, password: str) -> None:
    """Create an account. The first account of a site is always an administrator."""
    wanted = Registration(username=name, display_name=display_name or name, password=password)
    user = services.people.accounts.create(wanted, cast("Role", role))
    click.echo(f"{user.username} ({user.display_name}) is registered, as {user.role}.")


@command("list-users")
@click.argument("beginning", default="")
@click.option("--limit", type=click.IntRange(1, 100_000), default=1000, show_default=True, help="Maximum number.")
def list_users(services: Services, beginning: str, limit: int) -> None:
    """Show the accounts by user name.

    If BEGINNING is given, show only the names that begin with it. The list also has roles, mutes and bans.
    """
    now = datetime.now(UTC)
    for user in services.people.directory.list_like(beginning, "", limit):
        marks = [user.role, "bot" if user.is_bot else ""]
        for word, end in (("banned", user.banned_until), ("muted", user.muted_until)):
            marks.append(f"{word} {until(end)}" if end and end > now else "")
        words = ", ".join(filter(None, marks))
        click.echo(f"{user.username}  ({user.display_name})  {words}, since {user.created_at:%Y-%m-%d}")


@command("set-password")
@click.argument("name")
@_password
def set_password(services: Services, name: str, password: str) -> None:
    """Set a new password for NAME. This ends every session and access token of NAME."""
    user = services.people.accounts.set_password(get_user(services, name), password)
    click.echo(f"{user.username} has a new password and was logged out everywhere.")


@command("reset-link")
@click.argument("name")
def reset_link(services: Services, name: str) -> None:
    """Create a link with which NAME sets a new password.

    The link works once, within 24 hours; earlier links stop working. Send it in a safe way. All sessions and access
    tokens of NAME end when the link is used. If ALLOWED_HOSTS does not name exactly one host, the command prints only
    the path of the link.
    """
    site = _find_site(services.settings)
    click.echo(f"{site}/reset/{services.people.resets.make(None, get_user(services, name))}")
    if not site:
        click.echo("This is a path: put the site's address in front of it, such as https://chat.example.org", err=True)


def _find_site(settings: Settings) -> str:
    """Return the site's address if ALLOWED_HOSTS names exactly one host, and otherwise an empty text."""
    match words_of(settings.allowed_hosts):
        case [host] if not host.startswith("."):
            return f"https://{host}" if settings.trusted_proxies else f"http://{host.partition(':')[0]}:{settings.port}"
    return ""


@command("set-role")
@click.argument("name")
@click.argument("role", type=click.Choice(get_args(Role)))
def set_role(services: Services, name: str, role: str) -> None:
    """Set the role of NAME. A site keeps at least one administrator."""
    user = services.moderation.moderation.set_role(None, get_user(services, name), cast("Role", role))
    click.echo(f"{user.username} now has the role {role}.")


@command("end-sessions")
@click.argument("name")
def end_sessions(services: Services, name: str) -> None:
    """End all sessions and all access tokens of NAME."""
    user = get_user(services, name)
    click.echo(f"{services.moderation.moderation.end_sessions(None, user)} sessions of {user.username} were ended.")


@command("delete-user")
@click.argument("name")
@click.option("--keep/--erase", "is_kept", default=None, help="Keep the messages, or erase them. Required.")
@click.option("--reason", default="", help="The reason, for the audit log.")
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
def delete_user(services: Services, name: str, is_kept: bool | None, reason: str, yes: bool) -> None:
    """Delete the account of NAME permanently.

    The messages are kept under "Former member", or erased in every room. Nobody else can use the names of the account
    again.
    """
    if is_kept is None:
        raise click.UsageError("Choose what happens to the messages: --keep or --erase.")
    user = get_user(services, name)
    if not yes and click.prompt(f"To confirm, type the user name ({user.username})").strip() != user.username:
        raise click.ClickException("This is not the user name. Nothing was deleted.")
    services.erasure.account_deletion.begin(None, user, reason, is_erased=not is_kept)
    services.erasure.account_deletion.finish(show_progress())
    click.echo(f"The account of {user.username} was deleted; the messages are {'kept' if is_kept else 'erased'}.")


@command("set-registration")
@click.argument("mode", type=click.Choice(["open", "invite", "closed", "as-set-up"]))
def set_registration(services: Services, mode: str) -> None:
    """Set who can register. The change takes effect within two seconds, even while the site runs.

    The new mode overrides the setting REGISTRATION. The mode `as-set-up` removes this override.
    """
    services.moderation.admission.set_registration(None, "" if mode == "as-set-up" else mode)
    click.echo(f"Registration is now: {services.moderation.admission.registration()}.")


@command("create-invite")
@click.option("--uses", type=click.IntRange(1, 10_000), default=1, show_default=True, help="Number of people.")
@click.option("--days", type=click.IntRange(1, 3650), default=7, show_default=True, help="Days until it expires.")
def create_invite(services: Services, uses: int, days: int) -> None:
    """Create an invite and print its code. The code is shown only once."""
    click.echo(services.moderation.admission.make_invite(None, uses=uses, days=days))


@command("list-invites")
def list_invites(services: Services) -> None:
    """Show the valid invites.

    Each line starts with the first characters of the invite's id; `revoke-invite` needs them. The list has no codes,
    because codes are not stored.
    """
    for each in services.moderation.admission.list_invites():
        maker = str(each.about["made_by"])
        by = f", by {escaped(maker)}" if maker else ""
        click.echo(f"{each.id[:8]}  {each.uses_left} left, until {each.expires_at:%Y-%m-%d %H:%M} UTC{by}")


@command("revoke-invite")
@click.argument("invite")
def revoke_invite(services: Services, invite: str) -> None:
    """Revoke an invite. INVITE is the beginning of the invite's id, as `list-invites` shows it."""
    found = [each.id for each in services.moderation.admission.list_invites() if each.id.startswith(invite)]
    if len(found) != 1:
        raise click.ClickException(f"No invite, or more than one, has an id that starts with {invite!r}.")
    services.moderation.admission.revoke_invite(None, found[0])
    click.echo("The invite was revoked.")


def _of_a_token(function: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options that describe a new access token."""
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
    """Create an account for a program.

    The account is shown as a bot and has no password. The command prints an access token; it is shown only once.
    """
    user = services.people.accounts.create_bot(name, display_name or name)
    click.echo(services.people.sessions.create_token(user, label=name, **options))


@command("create-token")
@click.argument("name")
@click.option("--label", required=True, help="The label of the token on the account page.")
@_of_a_token
def create_token(services: Services, /, name: str, **options: Any) -> None:
    """Create and print an access token of NAME. The token is shown only once."""
    click.echo(services.people.sessions.create_token(get_user(services, name), **options))
