"""`make bench-hosts`: what a second host of the application gives.

One machine stands for several: each host is a `manage.py serve` with one worker, in a control group that bounds it to
a part of one core. PostgreSQL, the balancer and the client have what is left, which must be more than they need: the
table says how much of the machine was to spare. One host and two are asked in turns, both through a HAProxy.

python -m proofs.benchmarks.hosts [--rounds 3] [--seconds 5] [--percent 25] [--connections 8]
"""

import argparse
import contextlib
import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

from proofs.benchmarks import cgroups, loads, machine
from proofs.benchmarks.database import SETTINGS, Databases
from proofs.benchmarks.loads import TITLES, Sample
from proofs.benchmarks.run import bounded, prepare, say
from proofs.benchmarks.servers import VARIANTS, Server, Variant, running
from proofs.cluster.needs import found
from tools.postgres import PostgresUnavailable, exit_on_signals, throwaway

PROJECT = VARIANTS[0]
LOADS = ("get5", "put")
MOST_HOSTS = 2
BALANCER = """
global
  nbthread 1
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  http-reuse always
listen application
  bind "127.0.0.1:${PORT}"
  balance leastconn
"""


@dataclass(frozen=True)
class Turn:
    """One run of one load on so many hosts."""

    hosts: int
    sample: Sample
    cpu_seconds: float  # of all hosts of the application
    used: float  # share of what the hosts that were asked may use
    spare: float  # share of the machine

    @property
    def cost(self) -> float:
        """CPU seconds of the application's hosts for 1,000 requests."""
        return self.cpu_seconds / self.sample.requests * 1000


def table(turns: Mapping[str, Sequence[Turn]]) -> str:
    """Markdown: medians over rounds; `times one` is the median of the ratios within the rounds."""
    lines = [
        "| | hosts | requests/s | times one | p50 / p99 ms | CPU s for 1,000 requests | of their CPU | to spare |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for load, taken in turns.items():
        one, two = ([turn for turn in taken if turn.hosts == hosts] for hosts in (1, 2))
        ratio = median(more.sample.rate / less.sample.rate for more, less in zip(two, one, strict=True))
        for each, times in ((one, 1.0), (two, ratio)):
            rates = [turn.sample.rate for turn in each]
            lines.append(
                f"| {TITLES[load]} | {each[0].hosts} "
                f"| **{median(rates):,.0f}** ({min(rates):,.0f} to {max(rates):,.0f}) | ×{times:.2f} "
                f"| {median(turn.sample.p50 for turn in each):.1f} / {median(turn.sample.p99 for turn in each):.1f} "
                f"| {median(turn.cost for turn in each):.3f} | {median(turn.used for turn in each):.0%} "
                f"| {median(turn.spare for turn in each):.0%} |"
            )
    return "\n".join(lines)


def find_haproxy() -> str:
    there = found({"haproxy": "haproxy"}, os.environ)
    if not there:
        sys.exit(
            "error: haproxy is not installed, and it stands before the hosts (Debian, Ubuntu: apt install haproxy)."
        )
    return there["haproxy"]


def look_first() -> str:
    """HAProxy's path; ends the program with what is missing."""
    haproxy = find_haproxy()
    loads.find_wrk()
    if os.geteuid() != 0:
        sys.exit("error: a bound on the CPU of a host is root's to set: run this as root.")
    return haproxy


def balancer(haproxy: str, hosts: Sequence[Server], folder: Path) -> Variant:
    """A HAProxy before these hosts."""
    title = f"{len(hosts)} host{'s' if len(hosts) > 1 else ''}"
    servers = "".join(f"  server host{host.port} 127.0.0.1:{host.port}\n" for host in hosts)
    configuration = folder / f"haproxy-{len(hosts)}.cfg"
    configuration.write_text(BALANCER + servers)
    # A program and its arguments: {port} is filled in when it starts, and HAProxy reads it as a variable.
    return Variant("balancer", title, "", ("env", "PORT={port}", haproxy, "-db", "-f", str(configuration)))


def spare_and_all() -> tuple[int, int]:
    """Ticks of the machine's cores since it started (Linux): those that nothing measured here wanted, and all.

    To spare is a core that idles, waits for a disk, or works for a program that gives way to every other (`nice`).
    """
    ticks = [int(each) for each in Path("/proc/stat").read_text().partition("\n")[0].split()[1:9]]
    _, nice, _, idle, waits, *_ = ticks
    return nice + idle + waits, sum(ticks)


def cpu_seconds(groups: Sequence[cgroups.Group]) -> float:
    return sum(group.cpu_seconds() for group in groups)


def measure(
    databases: Databases, haproxy: str, *, rounds: int, seconds: int, percent: int, connections: int
) -> dict[str, list[Turn]]:
    say("Loading 10,000 books and 1,000 carts ...")
    folder = prepare(databases, {"project"})["project"]
    token = (folder / "get5.txt").read_text().split()[0]
    turns: dict[str, list[Turn]] = {load: [] for load in LOADS}
    with contextlib.ExitStack() as stack:
        groups, hosts = [], []
        for number in range(1, MOST_HOSTS + 1):
            say(f"Starting host {number} of {MOST_HOSTS}, with {percent}% of a core ...")
            group = stack.enter_context(cgroups.group(f"bench-host-{number}-{os.getpid()}", percent))
            bound = replace(PROJECT, command=group.inside(*PROJECT.command))
            log = databases.folder / f"host-{number}.log"
            environ = databases.environ("project")
            hosts.append(stack.enter_context(running(bound, environ, token=token, log=log, workers=1)))
            groups.append(group)
        fronts = {}
        for count in (1, MOST_HOSTS):
            front, log = balancer(haproxy, hosts[:count], folder), databases.folder / f"haproxy-{count}.log"
            fronts[count] = stack.enter_context(running(front, {}, token=token, log=log, workers=0))
        plan = [(count, load) for load in LOADS for count in fronts]
        for count, load in plan:  # warm, and not counted
            loads.run_wrk(fronts[count], load, folder / f"{load}.txt", seconds=2)
        for number in range(1, rounds + 1):
            databases.rest()
            for count, load in plan if number % 2 else reversed(plan):
                before, (spare, ticks) = cpu_seconds(groups), spare_and_all()
                sample = loads.run_wrk(
                    fronts[count], load, folder / f"{load}.txt", seconds=seconds, connections=connections
                )
                used, (spare_after, ticks_after) = cpu_seconds(groups) - before, spare_and_all()
                turn = Turn(
                    count,
                    sample,
                    cpu_seconds=used,
                    used=used / (seconds * count * percent / 100),
                    spare=(spare_after - spare) / (ticks_after - ticks),
                )
                turns[load].append(turn)
                say(
                    f"round {number}: {TITLES[load]}, {fronts[count].variant.title}: {sample.rate:,.0f}/s, "
                    f"{turn.cost:.3f} CPU s for 1,000, {turn.used:.0%} of their CPU, {turn.spare:.0%} to spare"
                )
    return turns


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m proofs.benchmarks.hosts", description=__doc__)
    parser.add_argument("--rounds", type=bounded(1, 20), default=3)
    parser.add_argument("--seconds", type=bounded(1, 60), default=5, help="of each load on each number of hosts")
    parser.add_argument("--percent", type=bounded(5, 100), default=25, help="of one core, for each host")
    parser.add_argument("--connections", type=bounded(1, 64), default=8, help="of the client, to one host and to two")
    options = parser.parse_args(argv)
    haproxy = look_first()
    exit_on_signals()
    try:
        with (
            throwaway(durable=True, settings=SETTINGS) as cluster,
            tempfile.TemporaryDirectory(prefix="bench-") as name,
        ):
            facts = machine.describe(str(cluster.installation))
            databases = Databases(cluster, Path(name))
            turns = measure(
                databases,
                haproxy,
                rounds=options.rounds,
                seconds=options.seconds,
                percent=options.percent,
                connections=options.connections,
            )
    except PostgresUnavailable as error:
        sys.exit(f"error: {error}. The benchmark needs a PostgreSQL, 15 if it can be had.")
    except cgroups.CgroupsUnavailable as error:
        sys.exit(f"error: {error}. The benchmark bounds the CPU of each host with a control group of its own.")
    except KeyboardInterrupt:
        say("\nInterrupted: nothing is left running.")
        return 130
    print(f"{options.connections} connections; each host with {options.percent}% of a core:\n")
    print(f"{table(turns)}\n\n{machine.in_words(facts)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
