"""Show the versions, and bring the data up to date."""

import click

from chatroom import __version__
from chatroom.services import Services
from chatroom.site.upgrades import DATA_VERSION
from chatroom.web.commands.console import command, show_progress

VERSIONS = f"Chatroom {__version__}, data version {DATA_VERSION}"


@click.command("version")
def show_version() -> None:
    """Show the version of the server and of the data it needs."""
    click.echo(VERSIONS)


@command("upgrade", is_prepared=False)
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
def upgrade(services: Services, yes: bool) -> None:
    """Bring the data up to date.

    Make a backup first: older versions of the server may be unable to use the data afterwards.
    """
    names = services.upgrades.list_final(services.upgrades.check(is_agreed=True))
    if names:
        click.echo(f"Older versions of Chatroom cannot use the data afterwards ({', '.join(names)}).")
        if not yes and not click.confirm("Is there a backup?"):
            raise click.ClickException("Nothing was changed. Make a backup: `flask --app test_mongo backup FOLDER`.")
    services.upgrade(show_progress())
    click.echo(f"The data is up to date: {VERSIONS}.")
