"""Builds that are broken on purpose: a proof that passes on one of these proves nothing.

    python -m proofs.stress --sabotage no-version     one of them
    python -m proofs.stress --sabotages               all of them, one after the other, with a table

Each replaces attributes of modules, in every Python process of the build, as the modules are imported. Each names the
row of the proof that must be FAILED. Nothing else counts: neither an error of the harness, nor a server that does not
start, nor another row.
"""

import importlib
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any

from proofs.stress.stage import Row
from tests.support.server import ROOT

LONGEST = 600  # seconds that one may take
SEEN, NOT_SEEN, NOTHING_KNOWN = 0, 1, 2  # exit codes
STARTUP = Path(__file__).parent / "startup"  # its sitecustomize.py is run at the start of every Python


@dataclass(frozen=True)
class Break:
    """`make` gets an attribute as it is, and returns what is put in its place."""

    module: str
    attribute: str  # "Cart._lock": of a class in the module
    make: Callable[[Any], Any]

    def apply(self, module: ModuleType) -> None:
        """Raises AttributeError where there is no such attribute (any more)."""
        owner: Any = module
        *path, name = self.attribute.split(".")
        for step in path:
            owner = getattr(owner, step)
        setattr(owner, name, self.make(getattr(owner, name)))


@dataclass(frozen=True)
class Sabotage:
    part: str
    row: str  # how the row begins that must be FAILED
    breaks: Sequence[Break]
    sizes: Mapping[str, Any] = field(default_factory=dict)  # options that suffice
    in_harness: bool = False  # what is broken is the proof's own, not the build


class Breaker(MetaPathFinder):
    """Breaks a module right after it was executed, before anybody imports a name from it."""

    def __init__(self, breaks: Sequence[Break]) -> None:
        self.of_module: dict[str, list[Break]] = {}
        self.asked: set[str] = set()
        for each in breaks:
            self.of_module.setdefault(each.module, []).append(each)

    def find_spec(self, fullname: str, path: Any, target: Any = None) -> ModuleSpec | None:
        breaks = self.of_module.get(fullname, ())
        if not breaks or fullname in self.asked:
            return None
        self.asked.add(fullname)  # the next line asks this finder, too
        spec = importlib.util.find_spec(fullname)
        self.asked.remove(fullname)
        if spec is None or spec.loader is None:
            return None
        execute = spec.loader.exec_module

        def execute_and_break(module: ModuleType) -> None:
            execute(module)
            for each in breaks:
                each.apply(module)

        spec.loader.exec_module = execute_and_break  # type: ignore[method-assign]  # that is the sabotage
        return spec


def break_modules(breaks: Sequence[Break]) -> None:
    """From now on in this process, in each module as it is imported."""
    sys.meta_path.insert(0, Breaker(breaks))


def break_now(breaks: Sequence[Break]) -> None:
    """In modules that may be imported already."""
    for each in breaks:
        each.apply(importlib.import_module(each.module))


def environ(name: str) -> dict[str, str]:
    """For every process of the build that is broken."""
    return {"BOOKSTORE_SABOTAGE": name, "PYTHONPATH": os.pathsep.join([str(STARTUP), str(ROOT)])}


def sabotages() -> dict[str, Sabotage]:
    from proofs.stress.broken import SABOTAGES

    return SABOTAGES


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
