"""The bodies of Alertmanager and Grafana."""

from collections.abc import Mapping
from typing import Annotated

import msgspec

from chatroom.outbound.formats.dialects import from_slack, literal
from chatroom.outbound.formats.markdown import bold, code, join, link
from chatroom.outbound.formats.shapes import Line, Words, line, linked

SIGNS = {"firing": "🔥", "resolved": "✅"}
"""The sign before an alert, by its status."""
MOST_ALERTS = 1000


class Alert(
    msgspec.Struct,
    rename={"source": "generatorURL", "dashboard": "dashboardURL", "panel": "panelURL", "silence": "silenceURL"},
):
    """An alert. Only Grafana sends the last three addresses."""

    status: Line = None
    labels: Words = None
    annotations: Words = None
    source: Line = None
    dashboard: Line = None
    panel: Line = None
    silence: Line = None


class Body(
    msgspec.Struct,
    rename={"common": "commonLabels", "group": "groupLabels", "url": "externalURL", "truncated": "truncatedAlerts"},
):
    """The body. Only Grafana sends a title."""

    alerts: Annotated[list[Alert], msgspec.Meta(max_length=MOST_ALERTS)]
    title: Line = None
    status: Line = None
    common: Words = None
    group: Words = None
    url: Line = None
    truncated: int | None = None


def show(body: Body, _: str) -> str:
    """Return the title and the alerts. Labels that all alerts have in common are shown only for a single alert."""
    hidden = set() if len(body.alerts) == 1 else (body.common or {}).items()
    more = f"… and {body.truncated} more alerts" if body.truncated and body.truncated > 0 else ""
    title = linked(line(body.title) or _title(body), line(body.url))
    return join(
        [bold(title), *(_alert(each, dict((each.labels or {}).items() - hidden)) for each in body.alerts), more]
    )


def _title(body: Body) -> str:
    name = next((name for labels in (body.group, body.common) if (name := _named(labels))), "")
    return f"[{line(body.status).upper() or 'ALERT'}:{len(body.alerts)}] {name}".strip()


def _alert(each: Alert, labels: Mapping[str, Line]) -> str:
    notes = {name: line(value) for name, value in (each.annotations or {}).items()}
    summary = notes.get("summary") or notes.get("title") or ""
    description = notes.get("description") or notes.get("message") or ""
    name = bold(literal(_named(each.labels)))
    head = join([SIGNS.get(line(each.status), ""), f"{name}:" if name and summary else name, literal(summary)], " ")
    shown = [code(f"{name}={line(value)}") for name, value in sorted(labels.items()) if _is_shown(name)]
    return join([head, from_slack(description), join(shown, " "), join(_links(each, notes), " · ")], "\n")


def _named(labels: Words) -> str:
    return line((labels or {}).get("alertname"))


def _is_shown(label: str) -> bool:
    return label != "alertname" and not label.startswith("__")


def _links(each: Alert, notes: Mapping[str, str]) -> list[str]:
    addresses = {
        "Source": each.source,
        "Dashboard": each.dashboard,
        "Panel": each.panel,
        "Silence": each.silence,
        "Runbook": notes.get("runbook_url"),
    }
    return [link(line(address), label) for label, address in addresses.items() if line(address)]
