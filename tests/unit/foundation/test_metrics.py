import pytest

from mailstead.foundation.metrics import MetricMismatchError, Metrics


def test_a_metric_is_made_once_however_often_it_is_asked_for() -> None:
    metrics = Metrics()
    for _ in range(2):
        metrics.counter("deliveries", "Deliveries", ("outcome",)).labels("delivered").inc()
        metrics.gauge("sessions", "Sessions").inc()
        metrics.histogram("delivery_seconds", "Time of a delivery").observe(0.02)
    text = metrics.exposition().decode()
    assert 'mailstead_deliveries_total{outcome="delivered"} 2.0' in text
    assert "mailstead_sessions 2.0" in text
    assert 'mailstead_delivery_seconds_bucket{le="0.025"} 2.0' in text
    assert "process_resident_memory_bytes" in text


def test_one_name_means_one_thing() -> None:
    metrics = Metrics()
    metrics.counter("deliveries", "Deliveries", ("outcome",))
    with pytest.raises(MetricMismatchError, match="deliveries"):
        metrics.counter("deliveries", "Deliveries")
    with pytest.raises(MetricMismatchError, match="Counter"):
        metrics.gauge("deliveries", "Deliveries", ("outcome",))


def test_two_registries_know_nothing_of_each_other() -> None:
    one, two = Metrics(), Metrics()
    one.counter("deliveries", "Deliveries").inc()
    two.counter("deliveries", "Deliveries")
    assert "mailstead_deliveries_total 0.0" in two.exposition().decode()
