"""Which processes there are, and which of them a process has started."""

import subprocess
from collections.abc import Mapping, Sequence

Processes = Mapping[int, tuple[int, str]]


def processes() -> dict[int, tuple[int, str]]:
    """Of every process its parent and its command; what is dead and waits to be collected is left out."""
    columns = ["ps", "-axww", "-o", "pid=,ppid=,stat=,args="]  # as wide as they are
    listed = subprocess.run(columns, capture_output=True, text=True, check=True).stdout.splitlines()
    rows = [line.split(None, 3) for line in listed]
    return {int(row[0]): (int(row[1]), row[3] if row[3:] else "") for row in rows if not row[2].startswith("Z")}


def children_of(pid: int, command: str = "") -> list[int]:
    """Children whose command line has `command` in it."""
    return [child for child, (parent, line) in processes().items() if parent == pid and command in line]


def below(pids: Sequence[int], all_of: Processes) -> list[int]:
    """These processes and all that they started, as long as it has not been handed to another parent."""
    known, fresh = set(pids) & set(all_of), set(pids) & set(all_of)
    while fresh:
        fresh = {pid for pid, (parent, _) in all_of.items() if parent in fresh} - known
        known |= fresh
    return sorted(known)


def workers_below(pid: int) -> list[int]:
    """The processes that serve: the descendants that have no children of their own."""
    found = processes()
    parents = {parent for parent, _ in found.values()}
    return [
        each for each in below([pid], found) if each not in parents | {pid} and "resource_tracker" not in found[each][1]
    ]
