"""The settings as templates see them: with the name that an administrator gave the site."""

from typing import Any

from chatroom.base.config import Settings
from chatroom.web.kit.services import services


class ShownSettings:
    """All attributes of `Settings`, and what is said about the site."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def __getattr__(self, name: str) -> Any:
        return getattr(self._settings, name)

    @property
    def site_name(self) -> str:
        """The name of the site. An error page may be shown before the services are open."""
        naming = _naming()
        return naming.name if naming else self._settings.site_name

    @property
    def site_about(self) -> str:
        """The sentence about the site, or ""."""
        naming = _naming()
        return naming.about if naming else ""


def _naming() -> Any:
    return getattr(getattr(services, "moderation", None), "naming", None)
