"""Registration: the mode, and the invites."""

import click

from chatroom.base.logs import escaped
from chatroom.services import Services
from chatroom.web.commands.console import command


@command("set-registration")
@click.argument("mode", type=click.Choice(["open", "invite", "closed", "as-set-up"]))
def set_registration(services: Services, mode: str) -> None:
    """Set who can register. It takes effect at once, even while the site runs.

    This wins over REGISTRATION in the settings until it is `as-set-up` again.
    """
    services.moderation.admission.set_registration(None, "" if mode == "as-set-up" else mode)
    click.echo(f"Registration is now: {services.moderation.admission.registration()}.")


@command("create-invite")
@click.option("--uses", type=click.IntRange(1, 10_000), default=1, show_default=True, help="Number of people.")
@click.option("--days", type=click.IntRange(1, 3650), default=7, show_default=True, help="Days until it expires.")
def create_invite(services: Services, uses: int, days: int) -> None:
    """Create an invite and print its code. It is shown once."""
    click.echo(services.moderation.admission.make_invite(None, uses=uses, days=days))


@command("list-invites")
def list_invites(services: Services) -> None:
    """Show the valid invites.

    Of each the beginning of its id, by which `revoke-invite` knows it; never its code, which nobody knows.
    """
    for each in services.moderation.admission.list_invites():
        maker = str(each.about["made_by"])
        by = f", by {escaped(maker)}" if maker else ""
        click.echo(f"{each.id[:8]}  {each.uses_left} left, until {each.expires_at:%Y-%m-%d %H:%M} UTC{by}")


@command("revoke-invite")
@click.argument("invite")
def revoke_invite(services: Services, invite: str) -> None:
    """Revoke an invite. INVITE is the id that `list-invites` shows."""
    found = [each.id for each in services.moderation.admission.list_invites() if each.id.startswith(invite)]
    if len(found) != 1:
        raise click.ClickException(f"No invite, or more than one, has an id that starts with {invite!r}.")
    services.moderation.admission.revoke_invite(None, found[0])
    click.echo("The invite was revoked.")
