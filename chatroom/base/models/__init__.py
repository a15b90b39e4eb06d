"""The typed values that travel between the stores, the engine and the pages.

The values are immutable and contain no database types. All times are aware and in UTC.
"""

from chatroom.base.models.messages import *  # noqa: F403
from chatroom.base.models.notices import *  # noqa: F403
from chatroom.base.models.people import *  # noqa: F403
from chatroom.base.models.rooms import *  # noqa: F403
