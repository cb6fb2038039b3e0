"""A raw HTTP client: status, headers, body and duration of each response."""

import json
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from typing import Any, TypeVar

T = TypeVar("T")

# Longer than any bound that is promised: what takes this long is a hang.
GIVE_UP = 20


@dataclass(frozen=True, slots=True)
class Answer:
    """Status 0: none came, the connection was lost or refused."""

    status: int
    headers: dict[str, str]
    body: Any
    seconds: float

    @property
    def code(self) -> str:
        return str(self.body.get("code", "")) if isinstance(self.body, dict) else ""


class Wire:
    """One connection that is kept open and made anew when it is lost. Not for use by two threads."""

    def __init__(self, port: int, host: str = "127.0.0.1") -> None:
        self.port, self.host = port, host
        self.connection: HTTPConnection | None = None

    def __call__(self, method: str, path: str, body: Any = None, token: str = "", **headers: str) -> Answer:
        started = time.perf_counter()
        if token:
            headers["Authorization"] = f"Bearer {token}"
        if body is not None:
            headers["Content-Type"] = "application/json"
        try:
            if self.connection is None:
                self.connection = HTTPConnection(self.host, self.port, timeout=GIVE_UP)
            self.connection.request(method, path, None if body is None else json.dumps(body), headers)
            response = self.connection.getresponse()
            content = response.read()
        except (OSError, HTTPException):
            self.close()
            return Answer(0, {}, None, time.perf_counter() - started)
        seconds = time.perf_counter() - started
        names = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, names, json.loads(content) if content else None, seconds)

    @property
    def local_port(self) -> int:
        """By which the server's side knows this connection; 0 when there is none."""
        return int(self.connection.sock.getsockname()[1]) if self.connection and self.connection.sock else 0

    def close(self) -> None:
        if self.connection:
            self.connection.close()
            self.connection = None


class Crowd:
    """Threads with a connection each, that start together. With several ports each has its share of the connections."""

    def __init__(self, port: int, size: int, *others: int) -> None:
        self.pool = ThreadPoolExecutor(size)
        ports = (port, *others)
        self.wires = [Wire(ports[number % len(ports)]) for number in range(size)]
        self.used: list[Wire] = []  # by the last calls, in their order
        self.first = 0

    def together(self, calls: Sequence[Callable[[Wire], T]]) -> list[T]:
        """Neighbours among the connections take the calls; which of them is first changes from time to time."""
        start = threading.Barrier(len(calls))
        self.first += 1
        self.used = [self.wires[(self.first + number) % len(self.wires)] for number in range(len(calls))]

        def run(call: Callable[[Wire], T], wire: Wire) -> T:
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
