"""How many statements a request sends, BEGIN and COMMIT counted: read from PostgreSQL's log, after the timed rounds."""

import re
import time
from collections import defaultdict
from pathlib import Path
from statistics import mode
from typing import Any

from proofs.benchmarks import data
from proofs.benchmarks.database import Databases
from proofs.benchmarks.servers import Running

REPEATS = 10
PREPARED = 5  # psycopg prepares a statement that it has sent so often by default; only repeats after that are counted
# The simple protocol says "statement:", the extended one "execute <name>:"; pgbench is not running meanwhile.
STATEMENT = re.compile(r"LOG: +(?:statement|execute [^:]*): (.*)")


def operations(load: str, row: str) -> list[tuple[str, str, Any]]:
    """One round of a load; None for the path of a line that is still to be made."""
    if load in data.CATALOGUE:
        return [("GET", row, None)]
    _, item, book = row.split()
    match load:
        case "put":
            return [("PUT", f"/cart/items/{item}", {"quantity": 3})]
        case "add_delete":
            return [("POST", "/cart/items", {"book_id": int(book)}), ("DELETE", "", None)]
    return [("GET", "/cart", None)]


def count(databases: Databases, server: Running, load: str, pool: Path) -> dict[str, list[str]]:
    """For each method of a load the statements of one request, as the server logged them.

    A repeat with the usual number of them: now and then a worker's own, periodic reads come in between.
    """
    rows = pool.read_text().splitlines()
    seen: defaultdict[str, list[list[str]]] = defaultdict(list)
    perform(server, load, rows[-1])  # connections, caches and prepared statements are there then
    databases.log_statements(True)
    try:
        for number, row in enumerate(rows[:REPEATS]):
            added = ""
            for method, path, body in operations(load, row):
                before = databases.log.stat().st_size
                answer = server.ask(method, path or f"/cart/items/{added}", token_of(row), body)
                if answer.status >= 400:
                    raise SystemExit(f"error: {server.variant.title}: {method} {path} answers {answer}")
                added = answer.body["id"] if method == "POST" else added
                time.sleep(0.02)
                with databases.log.open(errors="replace") as log:
                    log.seek(before)
                    sent = [match[1] for line in log if (match := STATEMENT.search(line))]
                if number >= PREPARED:
                    seen[method].append(sent)
    finally:
        databases.log_statements(False)
    return {method: usual(repeats) for method, repeats in seen.items()}


def usual(repeats: list[list[str]]) -> list[str]:
    """The first of those that are as long as most."""
    length = mode(map(len, repeats))
    return next(sent for sent in repeats if len(sent) == length)


def token_of(row: str) -> str:
    """Who asks; a row of the catalogue's is a path, which nobody in particular asks for."""
    return "" if row.startswith("/") else row.split()[0]


def perform(server: Running, load: str, row: str) -> None:
    added = ""
    for method, path, body in operations(load, row):
        answer = server.ask(method, path or f"/cart/items/{added}", token_of(row), body)
        added = answer.body["id"] if method == "POST" else added
