"""Counters, gauges and histograms in a registry of the process's own; nothing global."""

from collections.abc import Sequence
from typing import Any, TypeVar

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.exposition import generate_latest
from prometheus_client.metrics import MetricWrapperBase

Kind = TypeVar("Kind", bound=MetricWrapperBase)


SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class MetricMismatchError(Exception):
    """Two parts of the program mean different metrics by one name."""


class Metrics:
    """Each metric is made once under its name; asking again gives the same one."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        self._made: dict[str, tuple[tuple[str, tuple[str, ...]], MetricWrapperBase]] = {}

    def counter(self, name: str, sentence: str, labels: Sequence[str] = ()) -> Counter:
        """A number that only grows; `mailstead_` is put before `name`."""
        return self._once(Counter, name, sentence, labels)

    def gauge(self, name: str, sentence: str, labels: Sequence[str] = ()) -> Gauge:
        """A number that goes up and down."""
        return self._once(Gauge, name, sentence, labels)

    def histogram(
        self, name: str, sentence: str, labels: Sequence[str] = (), buckets: Sequence[float] = SECONDS
    ) -> Histogram:
        """Observations counted by the upper bounds in `buckets`; the default is for seconds."""
        return self._once(Histogram, name, sentence, labels, buckets=tuple(buckets))

    def _once(self, kind: type[Kind], name: str, sentence: str, labels: Sequence[str], **more: Any) -> Kind:
        key = (kind.__name__, tuple(labels))
        if name not in self._made:
            made = kind(f"mailstead_{name}", sentence, tuple(labels), registry=self._registry, **more)
            self._made[name] = key, made
        known, metric = self._made[name]
        if known != key:
            raise MetricMismatchError(f"{name} is a {known[0]} with labels {known[1]}")
        assert isinstance(metric, kind)
        return metric

    def exposition(self) -> bytes:
        """All metrics in Prometheus' text format."""
        return generate_latest(self._registry)
