"""`make cluster` and `make cluster-test`: see the package's docstring, and `python -m proofs.cluster --help`."""

import argparse
import shutil
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from proofs.cluster import hosts, needs, proof, status
from proofs.cluster.building import AlreadyRunning, Cluster, claimed, folder_of_cluster
from proofs.cluster.events import EVENTS
from proofs.cluster.parts import PartFailed
from tools.postgres import PostgresError
from tools.processes import exit_on_signals

ROOT = Path(__file__).resolve().parents[2]


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m proofs.cluster", description="The service on a whole cluster.")
    parser.add_argument("command", nargs="?", choices=("up", "test"), default="up", help="up (until Ctrl-C) or test")
    parser.add_argument("--ports", action="store_true", help="on ports of 127.0.0.1, also for root")
    parser.add_argument("--events", default=",".join(EVENTS), help=f"of {', '.join(EVENTS)}; all by default")
    parser.add_argument("--times", type=int, default=2, help="how often each event is done (2)")
    parser.add_argument("--seconds", type=float, default=6, help="of traffic after each event (6)")
    parser.add_argument("--clients", type=int, default=3, help="customers, and as many visitors (3)")
    parser.add_argument("--svg", type=Path, default=ROOT / "build" / "cluster.svg", help="where the chart is put")
    parser.add_argument("--logs", type=Path, help="a folder to keep every part's log in")
    parser.add_argument("--asynchronous", action="store_true", help="break it on purpose: commits wait for nobody")
    options = parser.parse_args(argv)
    names = options.events.split(",")
    if unknown := [name for name in names if name not in EVENTS]:
        parser.error(f"there is no event {', '.join(unknown)}: choose from {', '.join(EVENTS)}")
    exit_on_signals()
    try:
        programs = needs.programs()
        with claimed(folder_of_cluster()) as folder:
            ground = make_ground(options.ports)
            cluster = Cluster(folder, programs, ground, synchronous=not options.asynchronous)
            with kept(cluster, options.logs):
                started = time.monotonic()
                cluster.start(say=lambda line: print(f"{time.monotonic() - started:5.1f} s  {line}", flush=True))
                print(f"{time.monotonic() - started:5.1f} s  all parts are up\n", flush=True)
                if options.command == "up":
                    status.show(cluster)
                    status.watch(cluster)
                failed = proof.run(
                    *(cluster, names),
                    times=options.times,
                    seconds=options.seconds,
                    clients=options.clients,
                    svg=options.svg,
                )
    except needs.Missing as error:
        skipped = options.command == "test"
        print(f"{'skipped' if skipped else 'error'}: {error}", file=sys.stderr)
        return int(not skipped)
    except (AlreadyRunning, PartFailed, PostgresError, hosts.NetworkError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nThe cluster is gone.", file=sys.stderr)
        return 130
    if options.asynchronous:
        print(f"\nReplication was made asynchronous on purpose, and that was {'' if failed else 'NOT '}seen.")
        return int(not failed)
    return failed


@contextmanager
def kept(cluster: Cluster, folder: Path | None) -> Iterator[None]:
    """The logs stay, whatever happens."""
    try:
        yield
    finally:
        if folder:
            folder.mkdir(parents=True, exist_ok=True)
            for (host, name), part in cluster.parts.items():
                if part.log.exists():
                    shutil.copyfile(part.log, folder / f"{host}-{name}.log")


def make_ground(on_ports: bool) -> hosts.Ground:
    if not on_ports and needs.can_have_a_network():
        return hosts.Namespaces()
    print("No network namespaces (they need root, iproute2 and nftables): all hosts share 127.0.0.1.", flush=True)
    return hosts.Ports()


if __name__ == "__main__":
    sys.exit(main())
