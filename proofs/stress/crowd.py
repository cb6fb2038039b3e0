"""Many clients at the same moment."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from tests.support.client import GIVE_UP, PatientClient

T = TypeVar("T")


class Crowd:
    """Threads with a connection each, that start together. With several ports each has its share of the connections."""

    def __init__(self, port: int, size: int, *others: int) -> None:
        self.pool = ThreadPoolExecutor(size)
        ports = (port, *others)
        self.wires = [PatientClient(ports[number % len(ports)]) for number in range(size)]
        self.used: list[PatientClient] = []  # by the last calls, in their order
        self.first = 0

    def together(self, calls: Sequence[Callable[[PatientClient], T]]) -> list[T]:
        """Neighbours among the connections take the calls; which of them is first changes from time to time."""
        start = threading.Barrier(len(calls))
        self.first += 1
        self.used = [self.wires[(self.first + number) % len(self.wires)] for number in range(len(calls))]

        def run(call: Callable[[PatientClient], T], wire: PatientClient) -> T:
            start.wait(GIVE_UP)
            return call(wire)

        futures = [self.pool.submit(run, call, wire) for call, wire in zip(calls, self.used, strict=True)]
        return [future.result() for future in futures]

    def close(self) -> None:
        self.pool.shutdown()
        for wire in self.wires:
            wire.close()


def percentile(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else 0.0
