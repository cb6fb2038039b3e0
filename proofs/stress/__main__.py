"""`python -m proofs.stress [parts…]`: runs the proofs, prints their figures, and fails when one fails."""

import argparse
import json
import os
import secrets
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import asdict, fields
from pathlib import Path

from proofs.stress import order_races, races, sabotage
from proofs.stress.stage import LONG, Options, Stage
from tools.postgres import PostgresUnavailable, throwaway
from tools.processes import exit_on_signals

PARTS = (
    "races",
    "reads",
    "mixed",
    "orders",
    "order_races",
    "order_crashes",
    "model",
    "login",
    "crashes",
    "overload",
    "slow",
    "swallow",
    "schema",
    "staff_pages",
    "inputs",
    "migrations",
    "backup",
    "recovery",
    "soak",
)

BY_NAME = {"soak"}  # takes half an hour: only when it is named


def part(name: str) -> Callable[[Stage], None]:
    """Imported late: what is proved is imported with the settings of the PostgreSQL that is started for it."""
    import importlib

    module = {"slow": "overload"}.get(name, name)
    found: Callable[[Stage], None] = getattr(importlib.import_module(f"proofs.stress.{module}"), name)
    return found


def prepare(url: str) -> None:
    """This process is a Django process too: it makes customers and books, and looks into the tables."""
    os.environ |= {
        "DATABASE_URL": url,
        "DEBUG": "0",
        "ALLOWED_HOSTS": "127.0.0.1",
        "SECRET_KEY": secrets.token_urlsafe(50),
        "JWT_SIGNING_KEY": secrets.token_urlsafe(50),
        "ACCESS_TOKEN_MINUTES": "600",
        "LOG_LEVEL": "ERROR",
        "DJANGO_SETTINGS_MODULE": "bookstore.settings",
    }
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)


def read_arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    """With the parts and the options that are to be run, or ends with a word on what is wrong."""
    names = sorted(sabotage.sabotages())
    parser = argparse.ArgumentParser(prog="python -m proofs.stress", description="The long proofs.")
    parser.add_argument("parts", nargs="*", metavar="part", help=f"of {', '.join(PARTS)}; all when none is named")
    for option in fields(Options):
        if option.name != "sabotage":
            help_text = f"{option.default!r} if not given"
            if option.name in LONG:
                help_text += f"; {LONG[option.name]} with --long"
            parser.add_argument(f"--{option.name}", type=type(option.default), help=help_text)
    parser.add_argument("--long", action="store_true", help="the sizes of the documented figures: an hour and a half")
    breaks = f"break the build on purpose, which its part must see: one of {', '.join(names)}"
    parser.add_argument("--sabotage", metavar="NAME", choices=names, default="", help=breaks)
    several = "several of them one after the other, with a table; all when none is named"
    parser.add_argument("--sabotages", metavar="NAME", nargs="*", choices=names, help=several)
    parser.add_argument("--results", type=Path, help="a file for the table at the end, as JSON")
    chosen = parser.parse_args(argv)
    unknown = [name for name in chosen.parts if name not in PARTS]
    if unknown:
        parser.error(f"there is no part {', '.join(unknown)}: choose from {', '.join(PARTS)}")
    sizes: dict[str, object] = dict(LONG) if chosen.long or chosen.sabotage else {}
    if chosen.sabotage:
        broken = sabotage.sabotages()[chosen.sabotage]
        sizes |= broken.sizes
        chosen.parts = chosen.parts or [broken.part]
        if broken.part not in chosen.parts:
            parser.error(f"the sabotage {chosen.sabotage} is for the part {broken.part}")
    given = {option.name: getattr(chosen, option.name) for option in fields(Options)}
    chosen.options = Options(**(sizes | {name: value for name, value in given.items() if value is not None}))  # type: ignore[arg-type]  # each value has the type of its field
    chosen.parts = chosen.parts or [name for name in PARTS if name not in BY_NAME]
    with_races = [named for name, named in (("races", races), ("order_races", order_races)) if name in chosen.parts]
    if with_races and not any(named.chosen(chosen.options.race) for named in with_races):
        parser.error(f"no race has {chosen.options.race!r} in its name")
    return chosen


def main(argv: Sequence[str] | None = None) -> int:
    chosen = read_arguments(argv)
    if chosen.sabotages is not None:
        return sabotage.run_all(chosen.sabotages or sorted(sabotage.sabotages()))
    try:
        return run(chosen)
    except Exception as error:
        traceback.print_exc()
        print(f"error: nothing was proved, the harness itself failed: {error!r}", file=sys.stderr)
        return sabotage.NOTHING_KNOWN


def run(chosen: argparse.Namespace) -> int:
    """The exit code: 0 when all rows passed; with a sabotage, when its row failed."""
    options: Options = chosen.options
    exit_on_signals()
    started = time.monotonic()
    with ExitStack() as stack:
        try:
            cluster = stack.enter_context(throwaway(durable=True))
        except PostgresUnavailable as error:
            print(f"error: {error}: the proofs need one.", file=sys.stderr)
            return sabotage.NOTHING_KNOWN
        prepare(cluster.url)
        stage = Stage(cluster, options)
        if options.sabotage:
            broken = sabotage.sabotages()[options.sabotage]
            if broken.in_harness:
                sabotage.break_now(broken.breaks)
            else:
                stage.broken = sabotage.environ(options.sabotage)
        for name in chosen.parts:
            begun = time.monotonic()
            try:
                part(name)(stage)
            except Exception:
                traceback.print_exc()
                stage.report(name, "ended with an error, see above", False)
                stage.rows[-1].error = True
            print(f"       {name} took {time.monotonic() - begun:.0f} s", flush=True)
        from django.db import connections

        connections.close_all()

    width = max((len(row.proof) for row in stage.rows), default=0)
    print(f"\n=== {cluster.installation}, {options.workers} workers, {time.monotonic() - started:.0f} s ===")
    for row in stage.rows:
        print(f"{'passed' if row.passed else 'FAILED'}  {row.proof:<{width}}  {row.figures}")
    if chosen.results:
        chosen.results.write_text(json.dumps([asdict(row) for row in stage.rows], indent=1))
    if options.sabotage:
        code, words = sabotage.verdict(options.sabotage, stage.rows)
        print(f"\n{words}", flush=True)
        return code
    return int(not stage.rows or not all(row.passed for row in stage.rows))


if __name__ == "__main__":
    sys.exit(main())
