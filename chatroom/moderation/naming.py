"""The name of the site, and the sentence that the start page says about it.

A name that an administrator chose overrides `SITE_NAME` in the environment.
"""

from chatroom.base.errors import Refused
from chatroom.moderation.admission import check_administrator
from chatroom.names import one_line
from chatroom.site.acts import Acts
from chatroom.site.audit import SITE
from chatroom.site.authority import By, author_of
from chatroom.site.settings_store import Site

SETTING = "naming"
LONGEST_NAME = 60
LONGEST_ABOUT = 200


class Naming:
    """Reads and changes how the site is called. Reading never uses the database, because every page does it."""

    def __init__(self, site: Site, acts: Acts, default: str) -> None:
        self._site = site
        self._acts = acts
        self.default = default

    @property
    def chosen(self) -> str:
        """The name that an administrator chose, or ""."""
        return self._get("name")

    @property
    def name(self) -> str:
        """The name of the site."""
        return self.chosen or self.default

    @property
    def about(self) -> str:
        """The sentence about the site, or ""."""
        return self._get("about")

    def set(self, by: By, name: str, about: str) -> None:
        """Set the name and the sentence. An empty name restores the name of the environment."""
        check_administrator(by)
        name, about = one_line(name), one_line(about)
        if len(name) > LONGEST_NAME:
            raise Refused("too_long", f"The name is too long: at most {LONGEST_NAME} characters are allowed.")
        if len(about) > LONGEST_ABOUT:
            raise Refused("too_long", f"The sentence is too long: at most {LONGEST_ABOUT} characters are allowed.")
        setting = {"name": name, "about": about} if name or about else None
        self._acts.do(
            "site",
            lambda note: self._site.set(SETTING, setting, note),
            author_of(by),
            "set_naming",
            SITE,
            details={"name": name or "as set up", "about": about},
        )

    def _get(self, part: str) -> str:
        return str((self._site.known or {}).get(SETTING, {}).get(part, ""))
