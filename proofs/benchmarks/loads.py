"""The loads: wrk for HTTP, pgbench for the database alone, and their results."""

import json
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from proofs.benchmarks import data
from proofs.benchmarks.bare.statements import GET_CART
from proofs.benchmarks.servers import Running

LUA = Path(__file__).resolve().parent / "lua"
SCRIPTS = {"get5": "get.lua", "get50": "get.lua", "put": "put.lua", "add_delete": "add_delete.lua"}
SCRIPTS["checkout"] = "checkout.lua"  # of checkout.py
SCRIPTS |= dict.fromkeys(data.CATALOGUE, "paths.lua")
MOST_FAILED = 0.01  # above it the measurement is invalid
TITLES = {
    "book": "a book",
    "page": "a page of 20",
    "filtered": "filtered, by price",
    "search": "two words",
    "get5": "cart, 5 lines",
    "get50": "cart, 50 lines",
    "add_delete": "add + delete",
    "put": "PUT",
}


@dataclass(frozen=True)
class Sample:
    """One run of one load. Requests a second, milliseconds."""

    rate: float
    p50: float
    p99: float
    slowest_share: float = 1.0
    failed: float = 0.0  # share of the requests
    requests: int = 0  # all of them; wrk's loads count them


def find_wrk() -> str:
    wrk = shutil.which("wrk")
    if wrk is None:
        sys.exit(
            "error: wrk is not on PATH, and the load comes from it. Install it (Debian, Ubuntu: apt install wrk; "
            "Fedora: dnf install wrk; macOS: brew install wrk; else https://github.com/wg/wrk) and run this again."
        )
    return wrk


def run_wrk(server: Running, load: str, pool: Path, *, seconds: int, connections: int = 8) -> Sample:
    """One thread for each connection, so that each connection has its own customers and its own count."""
    command = [
        *(find_wrk(), "--threads", str(connections), "--connections", str(connections), "--duration", f"{seconds}s"),
        *("--timeout", "10s", "--script", str(LUA / SCRIPTS[load]), server.url, "--", str(pool), str(connections)),
    ]
    return report_of(command, f"{load} on {server.variant.title}", seconds, strict=connections <= 8)


def run_wrk_on(server: Running, path: str, *, seconds: int, connections: int) -> Sample:
    """One path that needs no token."""
    command = [
        *(find_wrk(), "--threads", str(connections), "--connections", str(connections), "--duration", f"{seconds}s"),
        *("--timeout", "10s", "--script", str(LUA / "path.lua"), f"http://127.0.0.1:{server.port}{path}"),
    ]
    return report_of(command, path, seconds, strict=True)


def report_of(command: list[str], what: str, seconds: int, *, strict: bool) -> Sample:
    done = subprocess.run(command, capture_output=True, text=True, timeout=seconds + 60, check=False)
    match = re.search(r"^RESULT (.*)$", done.stdout, re.MULTILINE)
    if match is None:
        sys.exit(f"error: wrk failed on {what}: {done.stdout}{done.stderr}")
    result = json.loads(match[1])
    failed = result["failed"] / max(result["requests"], 1)
    if failed > MOST_FAILED and strict and seconds > 1:  # one second is a warm-up
        sys.exit(f"error: {failed:.1%} of the requests failed, {what}: {done.stdout}")
    return Sample(
        rate=result["requests"] / result["microseconds"] * 1e6,
        p50=result["p50"] / 1000,
        p99=result["p99"] / 1000,
        slowest_share=result["slowest"],
        failed=failed,
        requests=result["requests"],
    )


# The customer, whose session has the same number, is one of this client's own: writers do not meet.
CUSTOMER = "\\set uid {first} + :client_id + {clients} * random(0, {last})\n"
WHO = """u.id = :uid AND u.is_active AND s.id = :sid AND s.user_id = u.id AND s.ended_at IS NULL"""
PUT = f"""
WITH line AS (
  UPDATE cart_items i SET quantity = :quantity, price_at_add = b.price
  FROM books b, carts c, users u, login_sessions s
  WHERE i.id = :item AND b.id = i.book_id AND c.id = i.cart_id AND c.user_id = u.id AND {WHO}
  RETURNING i.id, i.cart_id, i.quantity, i.added_at, b.id AS book_id, b.title, b.author, b.price, b.cover_image_url,
    b.stock_quantity, b.is_active
), stamped AS (
  UPDATE carts SET updated_at = now() FROM line WHERE carts.id = line.cart_id
)
SELECT * FROM line;
"""  # noqa: S608  # the parts are the constants above
ADD = f"""
WITH stamped AS (
  UPDATE carts c SET updated_at = now() FROM users u, login_sessions s WHERE c.user_id = u.id AND {WHO} RETURNING c.id
), line AS (
  INSERT INTO cart_items (cart_id, book_id, quantity, price_at_add)
  SELECT stamped.id, b.id, 2, b.price FROM stamped, books b
  WHERE b.id = :book AND b.is_active AND b.stock_quantity > 0
    AND (SELECT count(*) FROM cart_items held WHERE held.cart_id = stamped.id) < 100
  ON CONFLICT (cart_id, book_id) DO NOTHING
  RETURNING id
)
SELECT id AS added FROM line \\gset
"""  # noqa: S608  # the parts are the constants above
DELETE = f"""
WITH gone AS (
  DELETE FROM cart_items i USING carts c, users u, login_sessions s
  WHERE i.id = :added AND c.id = i.cart_id AND c.user_id = u.id AND {WHO}
  RETURNING i.cart_id
)
UPDATE carts SET updated_at = now() FROM gone WHERE carts.id = gone.cart_id;
"""  # noqa: S608  # the parts are the constants above


def pgbench_script(load: str, clients: int) -> str:
    customers = data.POOLS[load]
    script = CUSTOMER.format(first=customers.start, clients=clients, last=len(customers) // clients - 1)
    script += "\\set sid :uid\n"
    if load == "put":
        first = next(line.id for line in data.lines() if line.customer == customers.start)
        script += f"\\set item {first} + (:uid - {customers.start}) * {data.LINES}\n\\set quantity random(1, 9)\n"
        return script + PUT
    if load == "add_delete":
        script += f"\\set book (:uid * 37 + {(data.MANY_LINES + 10) * 101}) % {data.BOOKS} + 1\n"
        return script + ADD + DELETE
    return script + GET_CART.strip().replace("$1", ":uid").replace("$2", ":sid") + ";\n"


def run_pgbench(program: Path, url: str, load: str, folder: Path, *, seconds: int, clients: int = 8) -> Sample:
    """The same work by SQL alone: as many clients, prepared statements, no HTTP. A pair counts as two requests."""
    script = folder / f"pgbench-{load}.sql"
    script.write_text(pgbench_script(load, clients))
    log = folder / f"pgbench-{load}"
    command = [
        *(str(program), url, "--no-vacuum", "--protocol", "prepared", "--client", str(clients), "--jobs", "2"),
        *("--time", str(seconds), "--file", str(script), "--log", "--log-prefix", str(log), "--sampling-rate", "0.1"),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=seconds + 60, check=False)
    rate = re.search(r"^tps = ([0-9.]+)", done.stdout, re.MULTILINE)
    if done.returncode or rate is None:
        sys.exit(f"error: pgbench failed on {load}: {done.stderr.strip() or done.stdout.strip()}")
    latencies = []
    for part in folder.glob(f"{log.name}.*"):
        if part.suffix != ".sql":
            latencies += [int(row.split()[2]) / 1000 for row in part.read_text().splitlines()]
            part.unlink()
    latencies.sort()
    pair = 2 if load == "add_delete" else 1
    return Sample(
        rate=float(rate[1]) * pair,
        p50=latencies[len(latencies) // 2] / pair,
        p99=latencies[len(latencies) * 99 // 100] / pair,
    )
