"""A bound on the CPU of some processes: a control group of Linux, of version 1 or 2."""

import contextlib
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path("/sys/fs/cgroup")
# Microseconds. With the kernel's usual 100,000 a client would see the pauses: most of 100 ms, ten times a second.
PERIOD = 10_000
REMOVE_SECONDS = 5


class CgroupsUnavailable(Exception):
    """No group can be made here; the text says why."""


@dataclass(frozen=True)
class Group:
    """Processes that share a bound."""

    folder: Path

    def inside(self, *command: str) -> tuple[str, ...]:
        """The command line that runs `command` in the group, with all that it starts."""
        return ("sh", "-c", 'echo $$ > "$0" && exec "$@"', str(self.folder / "cgroup.procs"), *command)

    def processes(self) -> list[int]:
        return [int(pid) for pid in (self.folder / "cgroup.procs").read_text().split()]

    def cpu_seconds(self) -> float:
        """What the processes that live have used so far, in user and system mode."""
        ticks = 0
        for pid in self.processes():
            with contextlib.suppress(OSError):
                # "pid (name) state ppid …": a name may have blanks and brackets in it; utime and stime are 14 and 15.
                fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
                ticks += int(fields[11]) + int(fields[12])
        return ticks / os.sysconf("SC_CLK_TCK")


def parent(root: Path = ROOT) -> Path:
    """The folder in which groups with a bound are made. Raises CgroupsUnavailable."""
    if is_version_2(root):
        if "cpu" not in (root / "cgroup.subtree_control").read_text().split():
            try:
                (root / "cgroup.subtree_control").write_text("+cpu")
            except OSError as error:
                raise CgroupsUnavailable(f"{root} does not hand on its CPU controller ({error.strerror})") from error
        return root
    for name in ("cpu", "cpu,cpuacct"):
        if (root / name / "cgroup.procs").exists():
            return root / name
    raise CgroupsUnavailable(f"{root} has no control groups for the CPU: they are Linux's")


def is_version_2(root: Path) -> bool:
    return (root / "cgroup.controllers").exists()


def bounds(root: Path, percent: int) -> dict[str, str]:
    """What to write into which file of a group, for so many per cent of one core; in this order."""
    quota = str(PERIOD * percent // 100)
    if is_version_2(root):
        return {"cpu.max": f"{quota} {PERIOD}"}
    return {"cpu.cfs_period_us": str(PERIOD), "cpu.cfs_quota_us": quota}


@contextlib.contextmanager
def group(name: str, percent: int, root: Path = ROOT) -> Iterator[Group]:
    """A group of so many per cent of one core, removed at the end. Its processes must have ended by then.

    Raises CgroupsUnavailable.
    """
    folder = parent(root) / name
    try:
        folder.mkdir()
    except OSError as error:
        raise CgroupsUnavailable(f"{folder} cannot be made ({error.strerror})") from error
    try:
        try:
            for file, text in bounds(root, percent).items():
                (folder / file).write_text(text)
        except OSError as error:
            raise CgroupsUnavailable(f"{error.filename} cannot be written ({error.strerror})") from error
        yield Group(folder)
    finally:
        remove(folder)


def remove(folder: Path) -> None:
    """A process that was killed a moment ago is still in the group until it is waited for."""
    deadline = time.monotonic() + REMOVE_SECONDS
    while True:
        try:
            folder.rmdir()
            return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)
