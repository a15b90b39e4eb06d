"""The typed values that travel between the stores, the engine and the pages.

They are immutable, hold no database types, and every time in them is aware and UTC.
"""

from chatroom.base.models.messages import *  # noqa: F403
from chatroom.base.models.notices import *  # noqa: F403
from chatroom.base.models.people import *  # noqa: F403
from chatroom.base.models.rooms import *  # noqa: F403
