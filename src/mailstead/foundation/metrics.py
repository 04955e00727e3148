"""Counters, gauges and histograms in a registry of the process's own; nothing global."""

from collections.abc import Sequence
from typing import TypeVar

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.exposition import generate_latest
from prometheus_client.metrics import MetricWrapperBase

Kind = TypeVar("Kind", bound=MetricWrapperBase)


class Metrics:
    """Each metric is made once under its name; asking again gives the same one."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        self._made: dict[str, MetricWrapperBase] = {}

    def counter(self, name: str, sentence: str, labels: Sequence[str] = ()) -> Counter:
        """A number that only grows; `mailstead_` is put before `name`."""
        return self._once(Counter, name, sentence, labels)

    def gauge(self, name: str, sentence: str, labels: Sequence[str] = ()) -> Gauge:
        """A number that goes up and down."""
        return self._once(Gauge, name, sentence, labels)

    def histogram(self, name: str, sentence: str, labels: Sequence[str] = ()) -> Histogram:
        """Observations in buckets."""
        return self._once(Histogram, name, sentence, labels)

    def _once(self, kind: type[Kind], name: str, sentence: str, labels: Sequence[str]) -> Kind:
        made = self._made.get(name)
        if made is None:
            made = self._made[name] = kind(f"mailstead_{name}", sentence, tuple(labels), registry=self._registry)
        assert isinstance(made, kind), f"{name} was made as another kind"
        return made

    def exposition(self) -> bytes:
        """All metrics in Prometheus' text format."""
        return generate_latest(self._registry)
