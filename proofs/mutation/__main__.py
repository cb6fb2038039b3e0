"""Runs cosmic-ray on a copy of the tree, and compares the survivors with survivors.toml."""

import argparse
import os
import shutil
import sqlite3
import subprocess
import sys
import tomllib
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from tools.postgres import PostgresUnavailable, throwaway
from tools.processes import exit_on_signals

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build" / "mutants"
CONFIGURATION = "proofs/mutation/cosmic-ray.toml"
EXPLAINED = ROOT / "proofs" / "mutation" / "survivors.toml"
KILLED_AT_LEAST = 0.9
LEFT_OUT = (".git", ".venv*", "build", "__pycache__", "*.sqlite3*", ".*_cache", ".hypothesis", "node_modules")

FOUND = """
SELECT spec.module_path, spec.start_pos_row, spec.operator_name, result.test_outcome, result.diff
FROM work_results AS result JOIN mutation_specs AS spec USING (job_id)
WHERE result.worker_outcome <> 'SKIPPED'
ORDER BY spec.module_path, spec.start_pos_row, spec.operator_name, spec.occurrence
"""


@dataclass(frozen=True)
class Mutant:
    """One change: what stood there and what stood there instead, without the number of the line, which wanders."""

    file: str
    was: str
    became: str


def mutant(file: str, diff: str) -> Mutant:
    lines = [line for line in diff.splitlines() if not line.startswith(("---", "+++", "@@"))]
    was, became = ("\n".join(line[1:].strip() for line in lines if line.startswith(sign)) for sign in "-+")
    return Mutant(file, was, became)


def explained(path: Path) -> dict[Mutant, str]:
    """Why each of these cannot be, or need not be, told from the code as it is."""
    entries = tomllib.loads(path.read_text())["survivor"] if path.exists() else []
    return {Mutant(entry["file"], entry["was"], entry["became"]): entry["why"] for entry in entries}


def run(only: Sequence[str], resume: bool) -> Path:
    """cosmic-ray's table of results. What is there of an earlier run is kept when it is to be gone on with."""
    tree, session = BUILD / "tree", BUILD / "session.sqlite"
    if not (resume and session.exists()):
        shutil.rmtree(BUILD, ignore_errors=True)
        BUILD.mkdir(parents=True)
    shutil.rmtree(tree, ignore_errors=True)  # an interrupted run leaves its last change behind
    shutil.copytree(ROOT, tree, ignore=shutil.ignore_patterns(*LEFT_OUT))
    tool = Path(sys.prefix).parent / f"{Path(sys.prefix).name}-mutants" / "bin"
    configuration = tree / CONFIGURATION
    if only:
        settings = tomllib.loads(configuration.read_text())["cosmic-ray"]["module-path"]
        unknown = [name for name in only if name not in settings]
        if unknown:
            sys.exit(f"error: {', '.join(unknown)} is not changed here: choose from {', '.join(settings)}")
        text = configuration.read_text()
        configuration.write_text(text.replace(text.split("module-path = ")[1].split("\n")[0], str(list(only))))
    environment = os.environ | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "DEBUG": "1",
        "MUTANTS_ORIGINAL": str(ROOT),
    }
    with ExitStack() as stack:
        try:
            environment["MUTANTS_DATABASE_URL"] = stack.enter_context(throwaway()).url
        except PostgresUnavailable as error:
            print(f"NOT RUN on PostgreSQL, so that more survive: {error}.")

        def cosmic_ray(program: str, *arguments: str) -> None:
            subprocess.run([tool / program, *arguments], cwd=tree, env=environment, check=True)

        if not session.exists():
            cosmic_ray("cosmic-ray", "baseline", str(configuration))
            cosmic_ray("cosmic-ray", "init", str(configuration), str(session))
            cosmic_ray("cr-filter-operators", str(session), str(configuration))
        cosmic_ray("cosmic-ray", "exec", str(configuration), str(session))
    return session


def report(rows: Iterable[tuple[str, int, str, str, str]], reasons: dict[Mutant, str]) -> bool:
    """Prints each file's count, and every survivor with its reason. Whether enough were killed, and none in silence."""
    killed: Counter[str] = Counter()
    made: Counter[str] = Counter()
    silent = 0
    for file, line, operator, outcome, diff in rows:
        made[file] += 1
        if outcome.upper() != "SURVIVED":
            killed[file] += 1
            continue
        change = mutant(file, diff)
        why = reasons.get(change, "")
        silent += not why
        print(f"\n{file}:{line} {operator}\n  - {change.was}\n  + {change.became}\n  {why or 'NOT EXPLAINED'}")
    print()
    for file in made:
        print(f"{file}: {killed[file]} of {made[file]} killed")
    share = killed.total() / made.total() if made else 0.0
    print(f"{killed.total()} of {made.total()} killed, {share:.1%}; {silent} survivors without an explanation")
    return share >= KILLED_AT_LEAST and not silent


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m proofs.mutation", description="Does a test notice every change?")
    parser.add_argument("--only", nargs="+", default=[], metavar="FILE", help="change these files only")
    parser.add_argument("--resume", action="store_true", help="go on with a run that was interrupted")
    options = parser.parse_args(argv)
    exit_on_signals()
    session = run(options.only, options.resume)
    with sqlite3.connect(session) as results:
        rows = results.execute(FOUND).fetchall()
    return 0 if report(rows, explained(EXPLAINED)) else 1


if __name__ == "__main__":
    sys.exit(main())
