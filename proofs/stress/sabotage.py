"""Builds that are broken on purpose: a proof that passes on one of these proves nothing.

    python -m proofs.stress --sabotage no-version     one of them
    python -m proofs.stress --sabotages               all of them, one after the other, with a table

Each names the row of the proof that must be FAILED. Nothing else counts: neither an error of the harness, nor a server
that does not start, nor another row.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from proofs.stress.stage import Row

LONGEST = 600  # seconds that one may take
SEEN, NOT_SEEN, NOTHING_KNOWN = 0, 1, 2  # exit codes

Patch = tuple[str, str, str]  # the file, what is there (exactly once), and what is put in its place


@dataclass(frozen=True)
class Sabotage:
    part: str
    row: str  # how the row begins that must be FAILED
    patches: Sequence[Patch]
    sizes: Mapping[str, Any] = field(default_factory=dict)  # options that suffice


class OutOfDate(Exception):
    """A patch that no longer fits."""


def sabotages() -> dict[str, Sabotage]:
    from proofs.stress.broken import SABOTAGES

    return SABOTAGES


def apply(name: str, root: Path) -> None:
    """Raises OutOfDate when the code has changed so that the patch no longer fits."""
    for file, old, new in sabotages()[name].patches:
        path = root / file
        text = path.read_text()
        if text.count(old) != 1:
            raise OutOfDate(f"the sabotage {name!r} no longer fits {file}: adapt proofs/stress/broken.py")
        path.write_text(text.replace(old, new))


def verdict(name: str, rows: Sequence[Row]) -> tuple[int, str]:
    """The exit code, and one line that says why."""
    wanted = sabotages()[name].row
    found = [row for row in rows if row.proof.startswith(wanted)]
    broken = [row for row in rows if row.error]
    if broken:
        return NOTHING_KNOWN, f"error: {broken[0].proof} ended with an error: whether {name} is seen is not known."
    if not found:
        return NOTHING_KNOWN, f"error: no row began with {wanted!r}: whether {name} is seen is not known."
    if all(row.passed for row in found):
        return NOT_SEEN, f"The build was broken on purpose ({name}), and that was NOT seen by {wanted!r}."
    return SEEN, f"The build was broken on purpose ({name}), and that was seen by {wanted!r}."


def run_all(names: Sequence[str]) -> int:
    """Each in a process of its own, with its small sizes; then a table. 0 when all were seen."""
    table: list[tuple[str, str, str, str, str]] = []
    with tempfile.TemporaryDirectory(prefix="bookstore-sabotages-") as folder:
        for name in names:
            print(f"\n--- {name} ---", flush=True)
            code, row = run_one(name, Path(folder) / f"{name}.json")
            word = {SEEN: "seen", NOT_SEEN: "NOT SEEN"}.get(code, "ERROR")
            chosen = sabotages()[name]
            table.append((word, name, chosen.part, row.proof if row else chosen.row, row.figures if row else ""))
    widths = [max(len(line[column]) for line in table) for column in range(4)]
    print()
    for line in table:
        print("  ".join([*(cell.ljust(width) for cell, width in zip(line, widths, strict=False)), line[4]]))
    return int(any(line[0] != "seen" for line in table))


def run_one(name: str, results: Path) -> tuple[int, Row | None]:
    """How it ended, and the row that failed (or should have)."""
    command = [sys.executable, "-m", "proofs.stress", "--sabotage", name, "--results", str(results)]
    process = subprocess.Popen(command)
    try:
        code = process.wait(LONGEST)
    except subprocess.TimeoutExpired:
        print(f"error: {name} took longer than {LONGEST} s", flush=True)
        process.terminate()  # it ends its PostgreSQL and its server
        process.wait()
        return NOTHING_KNOWN, None
    rows = [Row(**row) for row in json.loads(results.read_text())] if results.exists() else []
    of_proof = [row for row in rows if row.proof.startswith(sabotages()[name].row)]
    return code, next(iter(sorted(of_proof, key=lambda row: row.passed)), None)
