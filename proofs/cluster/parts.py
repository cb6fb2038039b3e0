"""The running parts of a cluster: each one program on one host, started, killed and started again."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.processes import below, processes
from tools.processes import uninterrupted

STOP_SECONDS = 20


class PartFailed(Exception):
    """A part ended, or did not become ready in time; the text has the end of its log."""


@dataclass
class Part:
    name: str
    host: str
    command: Sequence[str]
    folder: Path
    ready: Callable[[], bool]
    environment: Mapping[str, str] = field(default_factory=dict)
    cwd: Path | None = None
    process: subprocess.Popen[bytes] | None = None
    stopped: bool = False  # on purpose

    @property
    def log(self) -> Path:
        return self.folder / f"{self.name}.log"

    def start(self) -> None:
        """Begins again; its log goes on. Does not wait."""
        # Next to nothing of ours: a PGHOST or PYTHONPATH of the caller must not change a part.
        environment = {"PATH": f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin", "LC_ALL": "C.UTF-8"}
        with self.log.open("ab") as log, uninterrupted():
            self.stopped = False
            self.process = subprocess.Popen(
                self.command,
                cwd=self.cwd or self.folder,
                env={**environment, **self.environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C is for us; the parts go after it, in order
            )
            (self.folder / f"{self.name}.process").write_text(str(self.process.pid))

    def wait(self, seconds: float) -> None:
        """Until it is ready. Raises PartFailed."""
        deadline = time.monotonic() + seconds
        while not self.ready():
            if not self.alive():
                raise PartFailed(f"{self.name} on {self.host} ended: {self.said()}")
            if time.monotonic() > deadline:
                raise PartFailed(f"{self.name} on {self.host} was not ready after {seconds:g} s: {self.said()}")
            time.sleep(0.1)

    def said(self) -> str:
        return " | ".join(self.log.read_text(errors="replace").strip().splitlines()[-5:]) or "it said nothing"

    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def pids(self) -> list[int]:
        return below([self.process.pid], processes()) if self.process else []

    def kill(self) -> None:
        """kill -9 of the program and of all that it started and did not let go of."""
        self.stopped = True
        doomed = self.pids()
        for pid in doomed:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if self.process:
            self.process.wait()

    def stop(self, seconds: float = STOP_SECONDS) -> None:
        """SIGTERM, and kill -9 for who does not listen."""
        self.stopped = True
        if self.process and self.alive():
            self.process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(seconds)
                return
            self.kill()
