"""`make bench`: compares this project with plain implementations of the same API, on one PostgreSQL, in alternating
rounds.

python -m proofs.benchmarks.run [--rounds 3] [--seconds 5] [--only project,plain] [--loads get5,put] [--save]
"""

import argparse
import contextlib
import json
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from proofs.benchmarks import loads, machine, report, statements
from proofs.benchmarks.data import CATALOGUE, POOLS
from proofs.benchmarks.database import SETTINGS, Databases
from proofs.benchmarks.loads import TITLES, Sample
from proofs.benchmarks.servers import VARIANTS, Running, running
from tools.postgres import PostgresUnavailable, throwaway
from tools.processes import exit_on_signals

HERE = Path(__file__).resolve().parent
WORKERS = 2
CROWD = 64


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def bounded(smallest: int, largest: int) -> "type[int]":
    def number(text: str) -> int:
        value = int(text)
        if not smallest <= value <= largest:
            raise argparse.ArgumentTypeError(f"{value} is not from {smallest} to {largest}")
        return value

    return number  # type: ignore[return-value]  # argparse calls it, and wants no class


def prepare(databases: Databases, wanted: set[str]) -> dict[str, Path]:
    """Databases with their rows; the folder of each with its tokens."""
    folders = {}
    for name in ("project", "plain"):
        if name not in wanted:
            continue
        databases.create(name)
        folders[name] = databases.folder / name
        folders[name].mkdir()
        if name == "project":
            databases.python(name, "manage.py", "migrate", "--verbosity", "0")
        else:
            plain = {"DJANGO_SETTINGS_MODULE": "proofs.benchmarks.plain.settings"}
            databases.python(name, "-m", "django", "migrate", "--verbosity", "0", environ=plain)
        databases.python(name, "-m", "proofs.benchmarks.load", name, str(folders[name]))
    return folders


def pool_of(server: Running, folders: dict[str, Path], load: str) -> Path:
    return folders[server.variant.pool] / f"{load}.txt"


def same_answers(servers: Sequence[Running], folders: dict[str, Path]) -> None:
    """Raises if a variant returns other bodies."""
    answers = {}
    for server in servers:
        if server.variant.database:
            token = pool_of(server, folders, "get50").read_text().split()[0]
            body = server.ask("GET", "/cart", token).body
            body.pop("updated_at")
            for item in body["items"]:
                item.pop("added_at")
            answers[server.variant.title] = body
    same(answers, "cart")
    pages: dict[str, list[int]] = {}
    for server in servers:
        if "page" in server.variant.loads:
            path = pool_of(server, folders, "page").read_text().split()[0]
            page = server.ask("GET", path).body
            pages[server.variant.title] = [item["id"] for item in page["items"]]
    same(pages, "page")


def same(answers: Mapping[str, object], what: str) -> None:
    first = next(iter(answers.values()), None)
    for title, body in answers.items():
        if body != first:
            sys.exit(f"error: {title} answers another {what} than {next(iter(answers))}: {body}\n{first}")


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m proofs.benchmarks.run", description=__doc__)
    parser.add_argument("--rounds", type=bounded(1, 20), default=3)
    parser.add_argument("--seconds", type=bounded(1, 60), default=5, help="of each load of each variant in each round")
    names = [variant.name for variant in VARIANTS] + ["pgbench"]
    parser.add_argument("--only", default=",".join(names), help="variants, separated by commas")
    parser.add_argument("--loads", default=",".join(TITLES), help="loads, separated by commas")
    parser.add_argument("--save", action="store_true", help="write last.json, last.md and chart.svg beside this file")
    options = parser.parse_args(argv)
    only, chosen = options.only.split(","), options.loads.split(",")
    for given, known in ((only, names), (chosen, list(TITLES))):
        if unknown := [name for name in given if name not in known]:
            parser.error(f"{', '.join(unknown)}: choose from {', '.join(known)}")
    loads.find_wrk()
    exit_on_signals()
    try:
        with (
            throwaway(durable=True, settings=SETTINGS) as cluster,
            tempfile.TemporaryDirectory(prefix="bench-") as name,
        ):
            databases = Databases(cluster, Path(name))
            facts = machine.describe(str(cluster.installation))
            rows = measure(databases, only, chosen, options.rounds, options.seconds)
    except PostgresUnavailable as error:
        sys.exit(f"error: {error}. The benchmark needs a PostgreSQL, 15 if it can be had.")
    except KeyboardInterrupt:
        say("\nInterrupted: nothing is left running.")
        return 130
    facts["command"] = f"make bench ROUNDS={options.rounds} SECONDS={options.seconds}"
    data = report.as_data(rows, facts)
    print(f"{report.table(data)}\n\n{machine.in_words(facts)}")
    if options.save:
        (HERE / "last.json").write_text(json.dumps(data, indent=2) + "\n")
        (HERE / "last.md").write_text(f"{report.table(data)}\n\n{machine.in_words(facts)}\n")
        (HERE / "chart.svg").write_text(report.chart(data))
    return 0


def measure(
    databases: Databases, only: Sequence[str], chosen: Sequence[str], rounds: int, seconds: int
) -> list[report.Row]:
    variants = [variant for variant in VARIANTS if variant.name in only]
    say("Loading 10,000 books and 1,000 carts ...")
    folders = prepare(databases, {variant.pool for variant in variants} | {"project"})
    rows = {variant.name: report.Row(variant.name, variant.title) for variant in variants}
    with contextlib.ExitStack() as stack:
        servers = []
        for variant in variants:
            token = (folders[variant.pool] / "get5.txt").read_text().split()[0]
            server = stack.enter_context(
                running(variant, databases.environ(variant.database), token=token, workers=WORKERS)
            )
            rows[variant.name].seconds_to_serve = server.seconds_to_serve
            servers.append(server)
        same_answers(servers, folders)
        plan = [
            (server, load) for load in TITLES for server in servers if load in chosen and load in server.variant.loads
        ]
        pgbench = cluster_program(databases, "pgbench") if "pgbench" in only else None
        if pgbench:
            rows["pgbench"] = report.Row("pgbench", "pgbench, the same work in SQL, no HTTP")
        say(f"{rounds} rounds of {len(plan) + (len(chosen) if pgbench else 0)} loads, {seconds} s each ...")
        for server, load in plan:  # warm, and not counted
            ask_for(server, load, folders, 1)
        for number in range(1, rounds + 1):
            databases.rest()
            # Every other round runs backwards, so that no variant is always first.
            for server, load in plan if number % 2 else reversed(plan):
                sample = ask_for(server, load, folders, seconds)
                note(rows[server.variant.name], load, sample, number)
            if pgbench:
                databases.tidy("project")
                for load in (each for each in chosen if each not in CATALOGUE):
                    sample = loads.run_pgbench(
                        pgbench, databases.url("project"), load, databases.folder, seconds=seconds
                    )
                    note(rows["pgbench"], load, sample, number)
        for server in servers:
            row = rows[server.variant.name]
            if server.variant.database:
                databases.tidy(server.variant.database)
            row.megabytes = server.megabytes_per_worker()
            if "get5" in server.variant.loads and server.variant.database:
                pool = pool_of(server, folders, "get5")
                row.crowd = loads.run_wrk(server, "get5", pool, seconds=max(seconds, 3), connections=CROWD)
            if server.variant.database:
                for load in (
                    each for each in (*CATALOGUE, "get5", "put", "add_delete") if each in server.variant.loads
                ):
                    counted = statements.count(databases, server, load, pool_of(server, folders, load))
                    counted = {TITLES[load] if load in CATALOGUE else method: sent for method, sent in counted.items()}
                    row.statements |= {what: len(sent) for what, sent in counted.items()}
                    for method, sent in counted.items():
                        say(f"{row.title}: {method} sends {len(sent)}: " + " ; ".join(each[:60] for each in sent))
    return list(rows.values())


def ask_for(server: Running, load: str, folders: dict[str, Path], seconds: int) -> Sample:
    return loads.run_wrk(server, load, pool_of(server, folders, load), seconds=seconds)


def note(row: report.Row, load: str, sample: Sample, number: int) -> None:
    row.samples.setdefault(load, []).append(sample)
    say(f"round {number}: {row.title}, {TITLES[load]}: {sample.rate:,.0f}/s, p99 {sample.p99:.1f} ms")


def cluster_program(databases: Databases, name: str) -> Path | None:
    program = databases.cluster.installation.bin / name
    if not program.exists():
        say(f"{name} is not beside this PostgreSQL ({databases.cluster.installation}): its rows are left out.")
        return None
    return program


if __name__ == "__main__":
    if len(POOLS["get5"]) < CROWD:
        raise AssertionError("each of the crowd needs a customer")
    sys.exit(main())
