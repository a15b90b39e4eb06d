"""The names that users choose for people, rooms, webhooks and files, and the addresses that are made from names."""

from chatroom.names.files import *  # noqa: F403
from chatroom.names.hooks import *  # noqa: F403
from chatroom.names.looks import *  # noqa: F403
from chatroom.names.parts import *  # noqa: F403
from chatroom.names.people import *  # noqa: F403
from chatroom.names.reserved import *  # noqa: F403
from chatroom.names.rooms import *  # noqa: F403
