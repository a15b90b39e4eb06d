"""Every name that people choose: of people, rooms, webhooks and files, and the addresses made from them.

Names are checked only here, so that none can equal one of the server's own.
"""

from chatroom.names.files import *  # noqa: F403
from chatroom.names.hooks import *  # noqa: F403
from chatroom.names.looks import *  # noqa: F403
from chatroom.names.people import *  # noqa: F403
from chatroom.names.rooms import *  # noqa: F403
