"""Bodies with a title and a message, such as those of apprise and of old versions of Grafana."""

import msgspec

from chatroom.outbound.formats.dialects import from_slack
from chatroom.outbound.formats.markdown import bold, join
from chatroom.outbound.formats.shapes import Line, line, linked


class Body(msgspec.Struct, rename={"rule_url": "ruleUrl"}):
    """The body."""

    title: Line = None
    message: Line = None
    rule_url: Line = None


def show(body: Body, _: str) -> str:
    """Return the title and the message."""
    return join([bold(linked(line(body.title), line(body.rule_url))), from_slack(line(body.message))])
