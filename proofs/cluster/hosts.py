"""Hosts of a cluster on one machine: each a network namespace with its own address, or a share of 127.0.0.1's ports.

Everything is named `bookstore-…`, or `bkc-…` where names are short: what an earlier run left behind, because it was
killed, is found by that and removed at the next start.
"""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import Protocol

from tests.support.processes import below, processes
from tools.processes import free_port

PREFIX = "bkc-"
BRIDGE = f"{PREFIX}bridge"
# The first of these that nothing on this machine is connected to.
NETWORKS = [IPv4Network(f"10.{number}.97.0/24") for number in (213, 97, 31, 178)]
KILL_SECONDS = 10.0


class NetworkError(Exception):
    """A network could not be made, or changed; the text has what `ip` or `nft` said."""


def run(*command: str, text: str = "") -> str:
    done = subprocess.run(command, input=text, capture_output=True, text=True)
    if done.returncode:
        raise NetworkError(f"{' '.join(command)}: {(done.stderr or done.stdout).strip()}")
    return done.stdout


class Ground(Protocol):
    """Where the hosts stand."""

    network: str  # CIDR
    separate: bool  # whether each has an address of its own, and can be cut off

    def add(self, name: str) -> str:
        """Makes a host and returns its address."""

    def port(self, usual: int) -> int:
        """The port to use where a machine of its own would have the usual one."""

    def command(self, name: str, command: Sequence[str]) -> list[str]:
        """The same command, to be run on this host."""

    def unplug(self, name: str) -> None:
        """Its packets go nowhere, and none reach it."""

    def cut(self, name: str, others: Sequence[str]) -> None:
        """It hears nothing of these other hosts, nor they of it."""

    def heal(self, name: str) -> None:
        """Undoes unplug and cut."""

    def remove(self) -> None:
        """Nothing stays."""


class Ports:
    """All hosts are 127.0.0.1: nothing can be cut off, and every part needs a port of its own."""

    separate = False
    network = "127.0.0.1/32"
    gateway = "127.0.0.1"

    def add(self, name: str) -> str:
        return "127.0.0.1"

    def port(self, usual: int) -> int:
        return free_port()

    def command(self, name: str, command: Sequence[str]) -> list[str]:
        return list(command)

    def unplug(self, name: str) -> None: ...

    def cut(self, name: str, others: Sequence[str]) -> None:
        raise NetworkError("on ports of one address no host can be cut off")

    def heal(self, name: str) -> None: ...

    def remove(self) -> None: ...


class Namespaces:
    """A bridge with a cable to each host. Needs root. One at a time on a machine."""

    separate = True

    def __init__(self) -> None:
        taken = [
            IPv4Network(word)
            for line in run("ip", "-4", "route", "show").splitlines()
            if (word := line.split()[0]).count("/") == 1
        ]
        free = next((each for each in NETWORKS if not any(each.overlaps(other) for other in taken)), None)
        if free is None:
            raise NetworkError(f"all of {', '.join(map(str, NETWORKS))} are in use on this machine")
        self.network = str(free)
        addresses = free.hosts()
        self.gateway = str(next(addresses))
        self._addresses: Iterator[IPv4Address] = addresses
        self.hosts: dict[str, str] = {}
        run("ip", "link", "add", BRIDGE, "type", "bridge")
        run("ip", "address", "add", f"{self.gateway}/{free.prefixlen}", "dev", BRIDGE)
        run("ip", "link", "set", BRIDGE, "up")

    def add(self, name: str) -> str:
        address, space, cable = str(next(self._addresses)), f"{PREFIX}{name}", f"{PREFIX}{name}-0"
        run("ip", "netns", "add", space)
        run("ip", "link", "add", cable, "type", "veth", "peer", "name", "eth0", "netns", space)
        run("ip", "link", "set", cable, "master", BRIDGE, "up")
        run("ip", "-netns", space, "address", "add", f"{address}/24", "dev", "eth0")
        for device in ("lo", "eth0"):
            run("ip", "-netns", space, "link", "set", device, "up")
        self.hosts[name] = address
        return address

    def port(self, usual: int) -> int:
        return usual

    def command(self, name: str, command: Sequence[str]) -> list[str]:
        return ["ip", "netns", "exec", f"{PREFIX}{name}", *command]

    def unplug(self, name: str) -> None:
        run("ip", "link", "set", f"{PREFIX}{name}-0", "down")

    def cut(self, name: str, others: Sequence[str]) -> None:
        addresses = ", ".join(self.hosts[other] for other in others)
        rules = (
            "table inet cut {\n"
            f"  chain in {{ type filter hook input priority 0; ip saddr {{ {addresses} }} drop; }}\n"
            f"  chain out {{ type filter hook output priority 0; ip daddr {{ {addresses} }} drop; }}\n"
            "}\n"
        )
        run(*self.command(name, ["nft", "-f", "-"]), text=rules)

    def heal(self, name: str) -> None:
        run("ip", "link", "set", f"{PREFIX}{name}-0", "up")
        with contextlib.suppress(NetworkError):  # there is nothing to heal
            run(*self.command(name, ["nft", "delete", "table", "inet", "cut"]))

    def remove(self) -> None:
        remove_network()


def namespaces() -> list[str]:
    listed = run("ip", "netns", "list").splitlines()
    return [name for line in listed if (name := line.split()[0]).startswith(PREFIX)]


def pids_in(space: str) -> list[int]:
    return [int(pid) for pid in run("ip", "netns", "pids", space).split()]


def remove_network() -> None:
    """Every host with all its processes, and the bridge: those of this run, or of one that was killed."""
    for space in namespaces():
        kill(partial(pids_in, space))
        run("ip", "netns", "delete", space)
    links = run("ip", "-oneline", "link", "show").splitlines()
    for name in (line.split(": ")[1].partition("@")[0] for line in links):
        if name.startswith(PREFIX):
            with contextlib.suppress(NetworkError):  # the other end of a cable has taken it along
                run("ip", "link", "delete", name)


def kill(listed: Callable[[], Sequence[int]]) -> None:
    """kill -9 until none is left: what is killed may just have started another one. Waits for their end."""
    deadline = time.monotonic() + KILL_SECONDS
    while (pids := listed()) and time.monotonic() < deadline:
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.02)


def working_in(folder: Path) -> list[int]:
    """Processes that name this folder in their command, and all that those started."""
    listed = processes()
    named = [pid for pid, (_, command) in listed.items() if str(folder) in command and pid != os.getpid()]
    ancestors, pid = set(), os.getpid()
    while pid in listed:
        ancestors.add(pid)
        pid = listed[pid][0]
    return [pid for pid in below(named, listed) if pid not in ancestors]
