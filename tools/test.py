"""The whole suite on SQLite, and again on a real PostgreSQL.

    python -m tools.test [--only sqlite|postgres|pgbouncer] [-- arguments for pytest]

After SQLite, the tests that use no database are not run again: `--uses-database` of conftest.py leaves them out.

PostgreSQL is TEST_DATABASE_URL when that is set, else a throw-away cluster (tools/postgres.py). Where none can be
had the second run is skipped, with a message; with REQUIRE_PG=1, or when it was asked for by name, that is a failure.
`--only pgbouncer` is PostgreSQL once more, through PgBouncer in transaction mode: left out where that is not installed.
"""

import argparse
import contextlib
import os
import re
import sqlite3
import sys
import tempfile
import time
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from tools.pgbouncer import PgBouncerUnavailable, pooled
from tools.postgres import PostgresUnavailable, throwaway
from tools.processes import exit_on_signals, run_child

ENV_EXAMPLE = Path(__file__).resolve().parent.parent / ".env.example"


@dataclass(frozen=True)
class Run:
    """The result of one run of the suite."""

    database: str
    code: int
    counts: str
    seconds: float

    @property
    def passed(self) -> bool:
        return self.code == 0

    def __str__(self) -> str:
        return f"{'passed' if self.passed else 'FAILED'}  {self.database}: {self.counts} in {self.seconds:.1f} s"


def counts(report: Path, code: int) -> str:
    """The numbers of pytest's JUnit report in words; what its exit code means when it wrote none."""
    try:
        suite = ET.parse(report).getroot().find("testsuite")  # noqa: S314  # pytest wrote it a moment ago
    except (OSError, ET.ParseError):
        suite = None
    if suite is None:
        return f"pytest ended with {code} and no report"
    number = {name: int(suite.get(name, 0)) for name in ("tests", "failures", "errors", "skipped")}
    passed = number["tests"] - number["failures"] - number["errors"] - number["skipped"]
    words = [(passed, "passed"), (number["failures"], "failed"), (number["errors"], "errors")]
    told = [f"{count} {word}" for count, word in [*words, (number["skipped"], "skipped")] if count or word == "passed"]
    return ", ".join(told) + {2: " (interrupted)", 5: " (no test was selected)"}.get(code, "")


def environment(url: str) -> dict[str, str]:
    """Ours without any variable that the service reads: a developer's values must not decide whether a test passes.

    tools/pytest_environment.py puts the tests' values in their place. FAST_PATH stays: `make test-plain` sets it.
    Bytecode is kept beside the code, where git ignores it, even where PYTHONDONTWRITEBYTECODE is set: each worker, and
    each process that a test starts, would else compile the whole project.
    """
    read = re.findall(r"^#?([A-Z_]+)=", ENV_EXAMPLE.read_text(), flags=re.MULTILINE)
    return {
        **{name: value for name, value in os.environ.items() if name == "FAST_PATH" or name not in read},
        "DATABASE_URL": url,
        "PYTHONDONTWRITEBYTECODE": "",
    }


def in_parallel(pytest_args: Sequence[str], waiting: int = 1) -> list[str]:
    """Arguments for pytest-xdist: `waiting` workers more than there are cores, each with a database of its own.

    One more, because tests that wait for a server or a browser leave a core idle; two on PostgreSQL, where they also
    wait for locks and timeouts. A file stays on one worker, so that what a module's fixture starts is started once;
    conftest.py puts the longest files first, and xdist keeps its order.
    One process where the caller says how many (`-n 0` for `--pdb`), and where there is only one core.
    """
    cores = os.cpu_count() or 1
    if cores < 2 or any(argument.startswith(("-n", "--numprocesses", "--pdb")) for argument in pytest_args):
        return []
    return [f"--numprocesses={cores + waiting}", "--dist=loadfile", "--no-loadscope-reorder"]


def run(database: str, url: str, pytest_args: Sequence[str], folder: Path, **settings: str) -> Run:
    """Runs pytest once with DATABASE_URL set to `url`."""
    print(f"\n=== {database} ===", flush=True)
    report = folder / "report.xml"
    report.unlink(missing_ok=True)
    started = time.monotonic()
    environ = environment(url) | settings
    code = run_child([sys.executable, "-m", "pytest", f"--junitxml={report}", *pytest_args], environ)
    return Run(database, code, counts(report, code), time.monotonic() - started)


@contextlib.contextmanager
def postgres() -> Iterator[tuple[str, str, list[str]]]:
    """The words for the summary, the URL of a PostgreSQL that is there for the length of the `with`, and options.

    A cluster of our own takes the tests' databases with it: dropping them would fail while a thread or a server that is
    ending still holds a connection.
    """
    if given := os.environ.get("TEST_DATABASE_URL"):
        parts = urlsplit(given)
        yield f"PostgreSQL at {parts.hostname or 'a local socket'}{parts.path} (TEST_DATABASE_URL)", given, []
        return
    with throwaway() as cluster:
        yield f"throw-away {cluster.installation}", cluster.url, ["--reuse-db"]


def run_pooled(pytest_args: Sequence[str], folder: Path) -> Run:
    """Through a PgBouncer of its own, in front of a PostgreSQL of its own. Raises what says that either is missing."""
    with throwaway() as cluster, pooled(cluster) as (version, url):
        # PgBouncer keeps connections to the test's database, which can then not be dropped; it goes with its cluster.
        return run(
            f"throw-away {cluster.installation} through {version}",
            url,
            ["--reuse-db", *pytest_args],
            folder,
            DB_TRANSACTION_POOLING="1",
            DATABASE_DIRECT_URL=cluster.url,
        )


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.test", description="The suite on both databases.")
    parser.add_argument("--only", choices=("sqlite", "postgres", "pgbouncer"))
    parser.add_argument("pytest_args", nargs="*", metavar="argument for pytest", help="after --")
    options = parser.parse_args(argv)
    exit_on_signals()

    runs: list[Run] = []
    missing = ""
    try:
        with tempfile.TemporaryDirectory(prefix="bookstore-tests-") as name:
            folder = Path(name)
            if options.only == "pgbouncer":
                try:
                    runs.append(run_pooled(options.pytest_args, folder))
                except PgBouncerUnavailable as error:
                    print(f"NOT RUN {error}")
                    return 0
                except PostgresUnavailable as error:
                    missing = str(error)
            if options.only in (None, "sqlite"):
                # A file's name is needed; Django's test database is made apart from it.
                url = f"sqlite:///{folder / 'tests.sqlite3'}"
                # Tests that are not slow seldom wait for a server or a browser.
                parallel = in_parallel(options.pytest_args, waiting=0 if "not slow" in options.pytest_args else 1)
                runs.append(run(f"SQLite {sqlite3.sqlite_version}", url, [*parallel, *options.pytest_args], folder))
            if options.only in (None, "postgres"):
                try:
                    with postgres() as (database, url, options_here):
                        if options.only is None:
                            options_here = [*options_here, "--uses-database"]
                        parallel = in_parallel(options.pytest_args, waiting=2)
                        runs.append(run(database, url, [*options_here, *parallel, *options.pytest_args], folder))
                except PostgresUnavailable as error:
                    missing = str(error)
    except KeyboardInterrupt:
        print("\nInterrupted: nothing is left running.", file=sys.stderr)
        return 130

    failed = not all(each.passed for each in runs)
    print("\n=== Summary ===")
    for each in runs:
        print(each)
    if missing:
        required = options.only == "postgres" or os.environ.get("REQUIRE_PG", "") not in ("", "0")
        failed = failed or required
        print(f"{'FAILED ' if required else 'NOT RUN'} PostgreSQL: {missing}.")
        print("        Half of the suite's purpose is missing: install PostgreSQL, or set TEST_DATABASE_URL.")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
