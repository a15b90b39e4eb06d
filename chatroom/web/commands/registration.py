"""Who may join: the mode, and the invites."""

import click

from chatroom.base.logs import escaped
from chatroom.services import Services
from chatroom.web.commands.console import command


@command("set-registration")
@click.argument("mode", type=click.Choice(["open", "invite", "closed", "as-set-up"]))
def set_registration(services: Services, mode: str) -> None:
    """Say who may register, also while the site runs.

    This wins over REGISTRATION in the settings until it is `as-set-up` again.
    """
    services.moderation.admission.set_registration(None, "" if mode == "as-set-up" else mode)
    click.echo(f"Registration is now: {services.moderation.admission.registration()}.")


@command("create-invite")
@click.option("--uses", type=click.IntRange(1, 10_000), default=1, show_default=True, help="How many may register.")
@click.option("--days", type=click.IntRange(1, 3650), default=7, show_default=True, help="How long it is good.")
def create_invite(services: Services, uses: int, days: int) -> None:
    """Print a code to register with. It is shown once."""
    click.echo(services.moderation.admission.make_invite(None, uses=uses, days=days))


@command("list-invites")
def list_invites(services: Services) -> None:
    """Show the invites that are still good.

    Of each the beginning of its id, by which `revoke-invite` knows it; never its code, which nobody knows.
    """
    for each in services.moderation.admission.list_invites():
        by = f", by {escaped(each.made_by)}" if each.made_by else ""
        click.echo(f"{each.id[:8]}  {each.uses_left} left, until {each.expires_at:%Y-%m-%d %H:%M} UTC{by}")


@command("revoke-invite")
@click.argument("invite")
def revoke_invite(services: Services, invite: str) -> None:
    """Make an invite worthless. INVITE is its id as `list-invites` shows it."""
    found = [each.id for each in services.moderation.admission.list_invites() if each.id.startswith(invite)]
    if len(found) != 1:
        raise click.ClickException(f"There is no single invite whose id begins with {invite!r}.")
    services.moderation.admission.revoke_invite(None, found[0])
    click.echo("It is revoked.")
