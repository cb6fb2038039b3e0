"""Gauges of each worker, sampled once a second: its memory, and the replicas as it sees them."""

import os

from django.conf import settings
from prometheus_client import CollectorRegistry, Gauge

from bookstore.database.lag import watch

STATM = "/proc/self/statm"  # Linux


class WorkerGauges:
    """Sampled by the thread that samples the pool."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.memory = Gauge(
            "bookstore_worker_memory_bytes",
            "Resident memory of each worker.",
            registry=registry,
            multiprocess_mode="liveall",
        )
        self.is_read = Gauge(
            "bookstore_replica_is_read",
            "1 while the replica is read, 0 while it is passed over; the worst of the workers.",
            ["replica"],
            registry=registry,
            multiprocess_mode="livemin",
        )
        self.lag = Gauge(
            "bookstore_replica_lag_seconds",
            "How far the replica is behind the primary; the worst of the workers. Absent values stay as they were.",
            ["replica"],
            registry=registry,
            multiprocess_mode="livemax",
        )

    def sample(self) -> None:
        """No query: the watch of replicas has asked them."""
        memory = resident_bytes()
        if memory:
            self.memory.set(memory)
        if not settings.REPLICAS:
            return
        replicas = watch()
        replicas.begin()
        for alias in settings.REPLICAS:
            self.is_read.labels(alias).set(alias in replicas.well)
            self.lag.labels(alias).set(replicas.lag.get(alias, 0))


def resident_bytes() -> int:
    """0 where the system does not say."""
    try:
        with open(STATM) as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, IndexError, ValueError):
        return 0
