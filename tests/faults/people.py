"""Make the accounts of the crowd, with the room's own services."""

from collections.abc import Sequence

import msgspec

from chatroom.base.config import Settings
from chatroom.people.accounts import Registration
from chatroom.services import Services
from tests.faults.app import SECRET_KEY

PASSWORD = "correct horse battery"


class Account(msgspec.Struct, frozen=True):
    """Somebody who may speak."""

    name: str
    user_id: str
    token: str


def make_accounts(uri: str, database: str, names: Sequence[str]) -> list[Account]:
    """Register everybody, and give each an access token."""
    services = Services(Settings(mongo_uri=uri, mongo_db=database, secret_key=SECRET_KEY, bcrypt_rounds=4))
    services.open()
    try:
        services.prepare()
        made = []
        for name in names:
            user = services.people.accounts.create(Registration(username=name, display_name=name, password=PASSWORD))
            made.append(Account(name, user.id, services.people.sessions.create_token(user, label="faults")))
        return made
    finally:
        services.close()
