"""Prints a line for each part, how to use the cluster, and parts that die and restart."""

import time

from proofs.cluster.building import Cluster
from proofs.cluster.events import RESTART
from proofs.cluster.hosts import PREFIX
from proofs.cluster.layout import READER, STAFF


def lines(cluster: Cluster) -> list[str]:
    """One for each part: its host, address, what it is, and how it is."""
    members, layout = cluster.members(), cluster.layout
    shown = []
    for (host, name), part in cluster.parts.items():
        port = {"etcd": "etcd", "patroni": "postgres", "haproxy": "primary", "app": "app"}.get(name, name)
        state = "up" if part.alive() else "down"
        if name == "patroni" and (member := members.get(host)):
            state = f"{member['role'].replace('_', ' ')}, {member['state']}, timeline {member.get('timeline', '?')}"
        elif part.alive() and not part.ready():
            state = "up, not ready"
        shown.append(f"  {host:<7} {layout.at(host, port):<21} {name:<10} {state}")
    return shown


def show(cluster: Cluster) -> None:
    layout = cluster.layout
    print("\n".join(lines(cluster)))
    leader = cluster.leader()
    inside = f"ip netns exec {PREFIX}{leader} " if cluster.ground.separate else ""
    configuration = layout.home(leader) / "patroni.yml"
    print(
        f"\n  {layout.base}/docs     the API      customer  {READER[0]}  {READER[1]}\n"
        f"  {layout.base}/admin/   the admin    staff     {STAFF[0]}   {STAFF[1]}\n"
        f"\n  what leads:     {inside}patronictl -c {configuration} list\n"
        f"  a switchover:   {inside}patronictl -c {configuration} switchover\n"
        f"  its logs:       {layout.folder}/HOST/*.log\n"
        f"\nBreak what you like (kill -9): what dies is started again. Ctrl-C ends it all.",
        flush=True,
    )


def watch(cluster: Cluster) -> None:
    """Until Ctrl-C: what an init system does with what dies, and a line when another PostgreSQL leads."""
    before = ""
    died: dict[tuple[str, str], float] = {}
    while True:
        time.sleep(0.5)
        now = time.monotonic()
        for key, part in cluster.parts.items():
            if part.alive():
                died.pop(key, None)
            elif key not in died:
                died[key] = now
                print(f"{part.name} on {part.host} died; it is started again in {RESTART:g} s", flush=True)
            elif now - died[key] >= RESTART:
                part.start()
        roles = ", ".join(f"{name} {member['role']}" for name, member in sorted(cluster.members().items()))
        if roles != before:
            print(f"PostgreSQL: {roles or 'no Patroni answers'}", flush=True)
            before = roles
