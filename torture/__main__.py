"""`python -m torture [parts…]`: runs the proofs, prints their figures, and fails when one does not hold."""

import argparse
import os
import secrets
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import fields

from scripts.postgres import PostgresUnavailable, exit_on_signals, throwaway
from torture import sabotage
from torture.stage import Options, Stage, scratch_copy

PARTS = (
    "races",
    "reads",
    "mixed",
    "model",
    "login",
    "crashes",
    "overload",
    "slow",
    "swallow",
    "schema",
    "migrations",
    "backup",
    "recovery",
)


def part(name: str) -> Callable[[Stage], None]:
    """Imported late: what is proved is imported with the settings of the PostgreSQL that is started for it."""
    import importlib

    module = {"slow": "overload"}.get(name, name)
    found: Callable[[Stage], None] = getattr(importlib.import_module(f"torture.{module}"), name)
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


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m torture", description="The long proofs.")
    parser.add_argument("parts", nargs="*", metavar="part", help=f"of {', '.join(PARTS)}; all when none is named")
    for option in fields(Options):
        if option.name != "sabotage":
            parser.add_argument(f"--{option.name}", type=type(option.default), default=option.default)
    parser.add_argument("--sabotage", choices=sorted(sabotage.PATCHES), default="", help="break the build on purpose")
    chosen = parser.parse_args(argv)
    unknown = [name for name in chosen.parts if name not in PARTS]
    if unknown:
        parser.error(f"there is no part {', '.join(unknown)}: choose from {', '.join(PARTS)}")
    options = Options(**{option.name: getattr(chosen, option.name) for option in fields(Options)})
    exit_on_signals()
    started = time.monotonic()
    with ExitStack() as stack:
        try:
            cluster = stack.enter_context(throwaway(durable=True))
        except PostgresUnavailable as error:
            print(f"error: {error}: the proofs need one.", file=sys.stderr)
            return 2
        prepare(cluster.url)
        stage = Stage(cluster, options)
        if options.sabotage:
            stage.root = stack.enter_context(scratch_copy())
            sabotage.apply(options.sabotage, stage.root)
        for name in chosen.parts or PARTS:
            begun = time.monotonic()
            try:
                part(name)(stage)
            except Exception:
                traceback.print_exc()
                stage.report(name, "ended with an error, see above", False)
            print(f"       {name} took {time.monotonic() - begun:.0f} s", flush=True)
        from django.db import connections

        connections.close_all()

    width = max((len(row.proof) for row in stage.rows), default=0)
    print(f"\n=== {cluster.installation}, {options.workers} workers, {time.monotonic() - started:.0f} s ===")
    for row in stage.rows:
        print(f"{'passed' if row.passed else 'FAILED'}  {row.proof:<{width}}  {row.figures}")
    failed = not stage.rows or not all(row.passed for row in stage.rows)
    if options.sabotage:
        print(f"\nThe build was broken on purpose ({options.sabotage}), and that was {'' if failed else 'NOT '}seen.")
        return int(not failed)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
