"""The counts of a process, and what is documented of them."""

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from chatroom.site.metrics import FIGURES, PrometheusMetrics, make_metrics
from tests.documents import read, section, tables
from tests.metrics import counted

MONITORING = Path(__file__).resolve().parents[3] / "docs" / "monitoring"
OF_THE_LIBRARY = {"up", "process_cpu_seconds_total", "process_resident_memory_bytes"}


@pytest.fixture
def metrics() -> PrometheusMetrics:
    return PrometheusMetrics()


def count_everything(metrics: PrometheusMetrics) -> None:
    metrics.stored(25, 0.004)
    metrics.delivered(3, 200, datetime.now(UTC) - timedelta(seconds=2), source="database")
    metrics.delivered(1, 2)
    metrics.refused("too_fast")
    metrics.logged_in("failure")
    metrics.answered("pages.index", 404, 0.02)
    metrics.measure(connections=7, followers=9, waiting=3)


def test_each_event_is_counted(metrics: PrometheusMetrics) -> None:
    count_everything(metrics)
    samples = counted(metrics, {"users": 5})
    assert samples["chatroom_posts_total"] == samples["chatroom_batch_messages_sum"] == 25
    assert samples["chatroom_store_seconds_bucket{le=0.0025}"] == 0
    assert samples["chatroom_store_seconds_bucket{le=0.005}"] == 1
    assert samples["chatroom_deliveries_total"] == 602
    assert samples["chatroom_delivery_seconds_bucket{le=1.0,source=database}"] == 0
    assert samples["chatroom_delivery_seconds_bucket{le=+Inf,source=database}"] == 1
    assert samples["chatroom_refusals_total{reason=too_fast}"] == 1
    assert samples["chatroom_logins_total{outcome=failure}"] == 1
    assert samples["chatroom_http_requests_total{route=pages.index,status=4xx}"] == 1
    assert [samples[f"chatroom_{name}"] for name in ("connections", "followers", "waiting_drafts")] == [7, 9, 3]
    assert samples["chatroom_users"] == 5
    assert samples["chatroom_build_info{version=1}"] == 1


def test_a_clock_that_is_ahead_gives_no_negative_time(metrics: PrometheusMetrics) -> None:
    metrics.delivered(1, 1, datetime.now(UTC) + timedelta(hours=1))
    metrics.measure(connections=0, followers=0, waiting=0)
    samples = counted(metrics)
    assert samples["chatroom_deliveries_total"] == 1
    assert samples["chatroom_delivery_seconds_sum{source=memory}"] == 0


def test_metrics_that_are_off_count_nothing() -> None:
    off = make_metrics(is_on=False)
    off.stored(1, 1.0)
    off.delivered(1, 1)
    off.refused("x")
    off.logged_in("failure")
    off.answered("x", 200, 1.0)
    off.measure(connections=1, followers=1, waiting=1)
    assert off.render({}, {}) == b""


def documented() -> dict[str, tuple[str, set[str], str]]:
    rows = tables(section("docs/monitoring.md", "Metrics"))[0]
    return {row[0].strip("`"): (row[1], set(re.findall(r"\w+", row[2])), row[3]) for row in rows}


def test_each_metric_is_documented_with_its_kind_its_labels_and_its_sentence(metrics: PrometheusMetrics) -> None:
    count_everything(metrics)
    text = metrics.render(dict.fromkeys(FIGURES, 0.0), {"version": "1", "python": "3", "database": "6"}).decode()
    made = {}
    for family in text_string_to_metric_families(text):
        labels = {label for sample in family.samples for label in sample.labels} - {"le"}
        name = f"{family.name}_total" if family.type == "counter" else family.name
        made[name] = (family.type, labels, family.documentation)
    assert documented() == {name: about for name, about in made.items() if name.startswith("chatroom_")}
    assert {"process_resident_memory_bytes", "python_info"} <= made.keys()


@pytest.mark.parametrize("file", ["dashboard.json", "alerts.yml"])
def test_the_dashboard_and_the_alerts_name_only_metrics_that_exist(file: str) -> None:
    text = (MONITORING / file).read_text()
    if file.endswith(".json"):
        text = "\n".join(target["expr"] for panel in json.loads(text)["panels"] for target in panel["targets"])
    named = set(re.findall(r"\bchatroom_\w+?(?=_bucket|\b)", text))
    assert named
    assert named <= documented().keys() | OF_THE_LIBRARY


def test_each_alert_has_a_reason_and_what_to_do() -> None:
    alerts = (MONITORING / "alerts.yml").read_text().split("- alert: ")[1:]
    assert len(alerts) == 5
    assert all("summary: " in alert and "description: " in alert for alert in alerts)
    assert all(alert.split()[0] in read("docs/monitoring.md") for alert in alerts)
