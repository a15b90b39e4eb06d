"""The first steps of an administrator on a new site. What is done is read from the data, not from clicks.

The list ends when everything is done, or when the administrator hides it.
"""

from typing import Literal

import msgspec

from chatroom.base.models import User
from chatroom.moderation.first_steps_store import FactStore
from chatroom.moderation.naming import Naming
from chatroom.people.users_store import UserStore

USUAL_NAME = "Chatroom"
"""The name of a site that nobody has named."""


class Step(msgspec.Struct, frozen=True):
    """A step, and whether it is done."""

    name: Literal["name", "invite", "room", "notifications"]
    is_done: bool


class FirstSteps:
    """Lists the first steps, until they are done or hidden."""

    def __init__(self, facts: FactStore, user_store: UserStore, naming: Naming) -> None:
        self._facts = facts
        self._user_store = user_store
        self._naming = naming

    def list_for(self, user: User) -> list[Step]:
        """Return the steps for an administrator of the site, or an empty list if nothing is left to show."""
        if user.role != "administrator" or user.hides_first_steps:
            return []
        steps = [
            Step("name", self._naming.name != USUAL_NAME),
            Step("invite", self._facts.has_invited()),
            Step("room", self._facts.has_room()),
            Step("notifications", self._facts.has_notifications(user.id)),
        ]
        return [] if all(step.is_done for step in steps) else steps

    def hide(self, user: User) -> None:
        """Show the steps to this user no more."""
        self._user_store.hide_first_steps(user.id)
