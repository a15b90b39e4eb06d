"""Read metrics, as Prometheus does."""

from collections.abc import Mapping

from prometheus_client.parser import text_string_to_metric_families

from chatroom.site.metrics import Metrics


def counted(metrics: Metrics, figures: Mapping[str, float] | None = None) -> dict[str, float]:
    """All samples, by name and labels."""
    text = metrics.render(figures or {}, {"version": "1"}).decode()
    found = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            labels = ",".join(f"{name}={value}" for name, value in sample.labels.items())
            found[f"{sample.name}{{{labels}}}" if labels else sample.name] = sample.value
    return found
