"""The typed values that the stores, the engine and the pages exchange.

The values are immutable and contain no database types. All times have the time zone UTC.
"""

from chatroom.base.models.messages import *  # noqa: F403
from chatroom.base.models.notices import *  # noqa: F403
from chatroom.base.models.people import *  # noqa: F403
from chatroom.base.models.rooms import *  # noqa: F403
