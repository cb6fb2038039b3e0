"""What a worker says at /metrics of itself: its memory, and the replicas as it sees them."""

import pytest
from prometheus_client import CollectorRegistry

from bookstore.database.lag import Watch
from bookstore.server import metrics_of_worker
from bookstore.server.metrics_of_worker import WorkerGauges, resident_bytes


@pytest.fixture
def registry():
    return CollectorRegistry()


@pytest.mark.skipif(not resident_bytes(), reason="no /proc on this system")
def test_the_memory_of_a_worker_is_told_in_bytes(registry):
    WorkerGauges(registry).sample()

    assert 10_000_000 < registry.get_sample_value("bookstore_worker_memory_bytes") < 4_000_000_000


def test_replicas_are_told_by_name_with_their_lag(registry, settings, monkeypatch):
    settings.REPLICAS = {"replica1": {}, "replica2": {}}
    seen = Watch(("replica1", "replica2"), max_lag=5)
    seen.well, seen.lag = ("replica1",), {"replica1": 0.25, "replica2": 9.0}
    monkeypatch.setattr(seen, "begin", lambda: None)
    monkeypatch.setattr(metrics_of_worker, "watch", lambda: seen)

    WorkerGauges(registry).sample()

    def told(name):
        return [registry.get_sample_value(name, {"replica": f"replica{number}"}) for number in (1, 2)]

    assert told("bookstore_replica_is_read") == [1, 0]
    assert told("bookstore_replica_lag_seconds") == [0.25, 9]


def test_without_replicas_none_is_told(registry):
    WorkerGauges(registry).sample()

    assert registry.get_sample_value("bookstore_replica_is_read", {"replica": "replica1"}) is None
