"""Finds the worker of a connection by the operating system."""

import os
import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from proofs.stress.crowd import Crowd
from tests.support.client import Answer, PatientClient
from tests.support.server import Server

T = TypeVar("T")

UNKNOWN = 0  # a worker that nobody could name: no /proc here, and no lsof
TRIES = 3  # connections that are opened for each that is kept, so that the workers have about as many


class Workers:
    """The workers of one server, by the ports of the clients that they serve."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.of_port: dict[int, int] = {}

    def of(self, wire: PatientClient) -> int:
        """The process id of the worker that holds this connection; it must have answered on it."""
        port = wire.local_port
        if port not in self.of_port:
            self.of_port |= holders(self.server.workers(), self.server.port)
        return self.of_port.get(port, UNKNOWN)

    def renew(self, crowd: Crowd) -> None:
        """New connections for a crowd, spread over the workers as evenly as they come: neighbours are different."""
        size = len(crowd.wires)
        self.of_port.clear()
        of_worker: dict[int, list[PatientClient]] = {}
        for _ in range(TRIES * size):
            wire = PatientClient(self.server.port)
            wire("GET", "/health")
            of_worker.setdefault(self.of(wire), []).append(wire)
        spread = [wires[row] for row in range(TRIES * size) for wires in of_worker.values() if row < len(wires)]
        for wire in [*crowd.wires, *spread[size:]]:
            wire.close()
        crowd.wires = spread[:size]

    def together(
        self, crowd: Crowd, calls: Sequence[Callable[[PatientClient], Answer]]
    ) -> tuple[list[Answer], set[int]]:
        """The answers to calls at the same moment, and the processes that gave them.

        A call that this process answers itself takes no seconds: it is one of them.
        """
        answers = crowd.together(calls)
        asked = zip(answers, crowd.used, strict=True)
        return answers, {self.of(wire) if answer.seconds else os.getpid() for answer, wire in asked}


def holders(workers: Sequence[int], port: int) -> dict[int, int]:
    """The worker of each established connection to this port of the server, by the client's port."""
    return holders_in_proc(workers, port) if Path("/proc/net/tcp").exists() else holders_by_lsof(workers, port)


def holders_in_proc(workers: Sequence[int], port: int) -> dict[int, int]:
    sockets: dict[str, int] = {}
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        for line in Path(table).read_text().splitlines()[1:] if Path(table).exists() else []:
            _, local, remote, state, *rest = line.split()
            if state == "01" and int(local.rpartition(":")[2], 16) == port:
                sockets[f"socket:[{rest[5]}]"] = int(remote.rpartition(":")[2], 16)
    found: dict[int, int] = {}
    for worker in workers:
        for descriptor in Path(f"/proc/{worker}/fd").iterdir():
            try:
                client = sockets.get(os.readlink(descriptor))
            except OSError:  # closed meanwhile
                continue
            if client:
                found[client] = worker
    return found


def holders_by_lsof(workers: Sequence[int], port: int) -> dict[int, int]:
    """Where there is no /proc, as on macOS."""
    program = shutil.which("lsof")
    if not program:
        return {}
    pids = ",".join(map(str, workers))
    command = [program, "-a", "-nP", "-p", pids, f"-iTCP:{port}", "-sTCP:ESTABLISHED", "-Fpn"]
    found, worker = dict[int, int](), UNKNOWN
    for line in subprocess.run(command, capture_output=True, text=True, check=False).stdout.splitlines():
        if line.startswith("p"):
            worker = int(line[1:])
        elif line.startswith("n") and "->" in line:
            found[int(line.rpartition(":")[2])] = worker
    return found
