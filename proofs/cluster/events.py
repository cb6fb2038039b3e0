"""Events: failures and maintenance of a cluster under traffic, each done and undone."""

import contextlib
import os
import re
import shutil
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from proofs.cluster import hosts
from proofs.cluster.building import Cluster
from proofs.cluster.layout import APPLICATIONS, DATABASES, PROXIES, ROOT
from proofs.cluster.parts import PartFailed
from tests.support.processes import below, processes

# Seconds until an init system restarts a dead process.
RESTART = 2.0
# Seconds that a dead host stays away: longer than a failover takes.
AWAY = 30.0
REJOIN_SECONDS = 90.0


@dataclass(frozen=True)
class Event:
    name: str
    title: str
    do: Callable[[Cluster, int], None]  # with how many times it was done before
    back_within: float | None = None  # seconds without an acknowledged write, at most
    needs_network: bool = False
    no_failures: bool = False  # not a single request may fail, a 503 included


def postmaster(cluster: Cluster, host: str) -> int:
    return int((cluster.layout.home(host) / "data" / "postmaster.pid").read_text().split("\n")[0])


def kill_all(pids: list[int]) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def kill_host(cluster: Cluster, host: str) -> None:
    """A power cut: the network is silent at once, and all processes are killed."""
    cluster.ground.unplug(host)
    parts = [part for (where, _), part in cluster.parts.items() if where == host]
    if cluster.ground.separate:
        kill_all(hosts.pids_in(f"{hosts.PREFIX}{host}"))
    else:
        kill_all(hosts.working_in(cluster.layout.home(host)))
    for part in parts:
        part.kill()


def revive_host(cluster: Cluster, host: str) -> None:
    cluster.ground.heal(host)
    for (where, _), part in cluster.parts.items():
        if where == host:
            part.start()


def leader_process(cluster: Cluster, time_before: int) -> None:
    pid = postmaster(cluster, cluster.leader())
    kill_all(below([pid], processes()))
    time.sleep(5)
    cluster.wait_until_whole(REJOIN_SECONDS)


def leader_host(cluster: Cluster, time_before: int) -> None:
    host = cluster.leader()
    kill_host(cluster, host)
    time.sleep(AWAY)
    revive_host(cluster, host)
    cluster.wait_until_whole(REJOIN_SECONDS)


def switchover(cluster: Cluster, time_before: int) -> None:
    leader = cluster.leader()
    candidate = next(name for name, member in cluster.members().items() if member["role"] == "sync_standby")
    cluster.patronictl("switchover", "bookstore", "--master", leader, "--candidate", candidate, "--force")
    cluster.wait_until_whole(REJOIN_SECONDS)
    if cluster.leader() != candidate:
        raise PartFailed(f"the switchover to {candidate} did not happen")


def replica(cluster: Cluster, time_before: int) -> None:
    """The synchronous one, that commits wait for, and the other one in turn."""
    role = ("sync_standby", "replica")[time_before % 2]
    host = next(name for name, member in cluster.members().items() if member["role"] == role)
    kill_host(cluster, host)
    time.sleep(AWAY / 2)
    revive_host(cluster, host)
    cluster.wait_until_whole(REJOIN_SECONDS)


def restart(cluster: Cluster, host: str, name: str) -> None:
    part = cluster.part(host, name)
    part.kill()
    time.sleep(RESTART)
    part.start()
    part.wait(REJOIN_SECONDS)


def pgbouncer(cluster: Cluster, time_before: int) -> None:
    restart(cluster, APPLICATIONS[time_before % 2], "pgbouncer")


def application(cluster: Cluster, time_before: int) -> None:
    host = APPLICATIONS[time_before % 2]
    kill_host(cluster, host)
    time.sleep(RESTART)
    revive_host(cluster, host)
    cluster.part(host, "app").wait(REJOIN_SECONDS)


def proxy(cluster: Cluster, time_before: int) -> None:
    restart(cluster, PROXIES[time_before % 2], "haproxy")


def split_brain(cluster: Cluster, time_before: int) -> None:
    """The leader neither hears etcd nor the other two; the application still reaches it."""
    leader = cluster.leader()
    cluster.ground.cut(leader, ["etcd", *(host for host in DATABASES if host != leader)])
    time.sleep(AWAY)
    cluster.ground.heal(leader)
    cluster.wait_until_whole(REJOIN_SECONDS)


def migration(cluster: Cluster, time_before: int) -> None:
    """One that adds a column with a default, as the next release might, and its way back."""
    release = copy_of_the_release(cluster, "migrating")
    newest = sorted(path.stem for path in (release / "cart" / "migrations").glob("0*.py"))[-1]
    (release / "cart" / "migrations" / "9000_note.py").write_text(
        "from django.db import migrations\n\n\n"
        "class Migration(migrations.Migration):\n"
        f'    dependencies = (("cart", "{newest}"),)\n'
        "    operations = (\n"
        "        migrations.RunSQL(\n"
        "            \"ALTER TABLE cart_items ADD COLUMN note text NOT NULL DEFAULT ''\",\n"
        '            "ALTER TABLE cart_items DROP COLUMN note",\n'
        "        ),\n"
        "    )\n"
    )
    try:
        cluster.manage("migrate", "--verbosity", "0", root=release)
        time.sleep(2)
        cluster.manage("migrate", "--verbosity", "0", "cart", newest, root=release)
    finally:
        shutil.rmtree(release)


def rolling(cluster: Cluster, time_before: int) -> None:
    """Each host in turn: SIGTERM, wait for its end, start the next release, wait until it is ready."""
    release = copy_of_the_release(cluster, f"release-{time_before}")
    version = release / "bookstore" / "__init__.py"
    text, times = re.subn(r'(__version__ = "[^"]+)"', rf'\1.next{time_before}"', version.read_text())
    if not times:
        raise PartFailed("bookstore/__init__.py has no version to change: adapt proofs/cluster/events.py")
    version.write_text(text)
    for host in APPLICATIONS:
        cluster.part(host, "app").stop()
        cluster.application(host, root=release).wait(REJOIN_SECONDS)
        wait_until_balanced(cluster, host)


def wait_until_balanced(cluster: Cluster, host: str) -> None:
    """Waits until the load balancer uses the host again, so that both hosts are never out at once."""
    for _ in range(200):
        if all(cluster.is_up(proxy, "application", host) for proxy in PROXIES):
            return
        time.sleep(0.1)
    raise PartFailed(f"HAProxy does not find {host} ready")


def copy_of_the_release(cluster: Cluster, name: str) -> Path:
    target = cluster.layout.folder / name
    left_out = shutil.ignore_patterns(".git", ".venv*", "build", "__pycache__", "*.sqlite3*", ".*_cache", "docs")
    shutil.copytree(ROOT, target, ignore=left_out, symlinks=True)
    return target


EVENTS = {
    event.name: event
    for event in (
        Event("leader", "the leader's PostgreSQL is killed", leader_process, back_within=10),
        Event("leader-host", "the leader's host dies", leader_host, back_within=25),
        Event("switchover", "a planned switchover", switchover, back_within=3),
        Event("replica", "a replica's host dies", replica),
        Event("pgbouncer", "a PgBouncer is killed", pgbouncer),
        Event("app", "a host of the application dies", application),
        Event("proxy", "a HAProxy, nginx's upstream, is killed", proxy),
        Event("split-brain", "the leader is cut off from etcd and the others", split_brain, needs_network=True),
        Event("migration", "a migration runs, and back", migration, no_failures=True),
        Event("rolling", "the application is rolled to a new release", rolling, no_failures=True),
    )
}
