"""Count what the processes of a server do, for `GET /metrics`.

Counting is off unless the settings allow somebody to read the metrics. With several processes, the counts are in files
of the folder `PROMETHEUS_MULTIPROC_DIR`, so that any process can answer for all. No label contains a user's text.
"""

import os
import time
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

FOLDER = "PROMETHEUS_MULTIPROC_DIR"
"""The environment variable in which prometheus-client expects the folder, before it is imported."""
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
DRAFTS = (1, 2, 5, 10, 25, 50, 100, 250)
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
FIGURES = {
    "database_up": "Whether the database answers: 1 or 0. With 0, the other figures of the site are missing.",
    "users": "Accounts that are not deleted.",
    "users_here": "Users who are connected to the site.",
    "rooms": "Rooms, with direct conversations.",
    "messages": "Messages in the database.",
    "files": "Files of messages, without avatars.",
    "open_reports": "Reports that no moderator has decided on.",
    "held_messages": "First messages of newcomers that wait for approval.",
    "stored_bytes": "Size of the database on disk, with its indexes and files.",
}
"""The figures of the site. The key is the name of the metric, without `chatroom_`."""


class Metrics:
    """Counts nothing. The event loop calls these methods once for each batch, so they must be fast."""

    def stored(self, drafts: int, seconds: float) -> None:
        """Count a batch of drafts that the database has stored."""

    def delivered(self, changes: int, readers: int, sent_at: datetime | None = None, *, source: str = "memory") -> None:
        """Count changes that readers got. `sent_at` is the time of a new message; None if nothing is new."""

    def refused(self, reason: str) -> None:
        """Count a refusal."""

    def logged_in(self, outcome: str) -> None:
        """Count a log-in: `success` or `failure`."""

    def answered(self, route: str, status: int, seconds: float) -> None:
        """Count an HTTP request. `route` is the name of a view."""

    def measure(self, *, connections: int, followers: int, waiting: int) -> None:
        """Note the present state of the engine, every second, in the thread that calls `delivered`."""

    def render(self, figures: Mapping[str, float], versions: Mapping[str, str]) -> bytes:  # noqa: ARG002
        """Return all metrics in the text format of Prometheus, with the figures of the site."""
        return b""


NO_METRICS = Metrics()
REQUESTS = "Answered HTTP requests. The files of pages count only when they are sent for the first time."


class PrometheusMetrics(Metrics):
    """Counts with prometheus-client."""

    def __init__(self) -> None:
        # Imported here, because most sites do not use it.
        from prometheus_client import (  # noqa: PLC0415
            CollectorRegistry,
            Counter,
            Gauge,
            GCCollector,
            Histogram,
            PlatformCollector,
            ProcessCollector,
            disable_created_metrics,
        )

        disable_created_metrics()  # type: ignore[no-untyped-call]

        self._registry = CollectorRegistry()
        self._is_shared = FOLDER in os.environ
        if not self._is_shared:
            for collector in (ProcessCollector, PlatformCollector, GCCollector):
                collector(registry=self._registry)

        def make(kind: type[Any], name: str, about: str, labels: Iterable[str] = (), **options: Any) -> Any:
            return kind(f"chatroom_{name}", about, labels, registry=self._registry, **options)

        def gauge(name: str, about: str) -> Any:
            return make(Gauge, name, about, multiprocess_mode="livesum")

        self._posts = make(Counter, "posts", "Messages that were stored. A message that is sent again counts again.")
        self._batches = make(Histogram, "batch_messages", "Messages that were stored together.", buckets=DRAFTS)
        self._store = make(Histogram, "store_seconds", "Time to store a batch, with all tries.", buckets=SECONDS)
        self._deliveries = make(Counter, "deliveries", "Messages and changes that were sent to a connection.")
        self._delivered = 0
        delivery = make(
            Histogram,
            "delivery_seconds",
            "Time from the storing of a message to its sending to the connections of a process. The source is memory "
            "for messages of this process, and database for messages that a change stream or polling announced.",
            ["source"],
            buckets=SECONDS,
        )
        self._delivery = {source: delivery.labels(source) for source in ("memory", "database")}
        self._refusals = make(Counter, "refusals", "Refused requests and frames.", ["reason"])
        self._logins = make(Counter, "logins", "Attempts to log in with a password.", ["outcome"])
        self._requests = make(Counter, "http_requests", REQUESTS, ["route", "status"])
        self._request = make(Histogram, "http_request_seconds", "Time to answer a request.", buckets=SECONDS)
        self._connections = gauge("connections", "Open websockets and Socket.IO connections.")
        self._followers = gauge("followers", "Followed rooms, summed over all connections.")
        self._waiting = gauge("waiting_drafts", "Messages and changes that wait to be stored.")

    def stored(self, drafts: int, seconds: float) -> None:
        self._posts.inc(drafts)
        self._batches.observe(drafts)
        self._store.observe(seconds)

    def delivered(self, changes: int, readers: int, sent_at: datetime | None = None, *, source: str = "memory") -> None:
        self._delivered += changes * readers  # a call of the library for each reader would be too slow
        if sent_at is not None:
            self._delivery[source].observe(max(0.0, time.time() - sent_at.timestamp()))

    def refused(self, reason: str) -> None:
        self._refusals.labels(reason).inc()

    def logged_in(self, outcome: str) -> None:
        self._logins.labels(outcome).inc()

    def answered(self, route: str, status: int, seconds: float) -> None:
        self._requests.labels(route, f"{status // 100}xx").inc()
        self._request.observe(seconds)

    def measure(self, *, connections: int, followers: int, waiting: int) -> None:
        delivered, self._delivered = self._delivered, 0
        self._deliveries.inc(delivered)
        self._connections.set(connections)
        self._followers.set(followers)
        self._waiting.set(waiting)

    def render(self, figures: Mapping[str, float], versions: Mapping[str, str]) -> bytes:
        from prometheus_client import generate_latest  # noqa: PLC0415

        parts = [self._registry, _registry_of(figures, versions)]
        if self._is_shared:
            parts[0] = _registry_of_all()
        return b"".join(map(generate_latest, parts))


def _registry_of_all() -> Any:
    """The counts of all processes."""
    from prometheus_client import CollectorRegistry  # noqa: PLC0415
    from prometheus_client.multiprocess import MultiProcessCollector  # noqa: PLC0415

    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return registry


def _registry_of(figures: Mapping[str, float], versions: Mapping[str, str]) -> Any:
    """The figures of the site, which are the same in each process."""
    from prometheus_client import CollectorRegistry  # noqa: PLC0415
    from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily  # noqa: PLC0415

    class Site:
        def collect(self) -> Iterator[Any]:
            for name, value in figures.items():
                yield GaugeMetricFamily(f"chatroom_{name}", FIGURES[name], value)
            yield InfoMetricFamily("chatroom_build", "The versions of the programs.", dict(versions))

    registry = CollectorRegistry()
    registry.register(Site())
    return registry


def end_process(pid: int) -> None:
    """Forget the state, but not the counts, of a process that ended."""
    if FOLDER in os.environ:
        from prometheus_client.multiprocess import mark_process_dead  # noqa: PLC0415

        mark_process_dead(pid)  # type: ignore[no-untyped-call]


def make_metrics(*, is_on: bool) -> Metrics:
    """Make the metrics of this process."""
    return PrometheusMetrics() if is_on else NO_METRICS
