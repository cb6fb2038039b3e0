"""Describes the machine of the measurement."""

import os
import platform
import re
import subprocess
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

PACKAGES = ("django", "djangorestframework", "psycopg", "granian", "gunicorn", "uvicorn", "asyncpg", "orjson")


def describe(postgres: str) -> dict[str, Any]:
    return {
        "measured": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "commit": output("git", "rev-parse", "--short", "HEAD") or "unknown",
        "cpu": cpu(),
        "cores": os.cpu_count(),
        "load_before": round(os.getloadavg()[0], 2),
        "kernel": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "postgres": postgres,
        "wrk": (re.search(r"wrk \S+", output("wrk", "-v")) or ["unknown"])[0],
        "packages": {name: version(name) for name in PACKAGES},
    }


def in_words(machine: dict[str, Any]) -> str:
    packages = ", ".join(f"{name} {number}" for name, number in machine["packages"].items())
    return (
        f"{machine['measured']}, commit {machine['commit']}; {machine['cpu']}, {machine['cores']} cores, "
        f"{machine['kernel']}; Python {machine['python']}, {machine['postgres']}, {machine['wrk']}; {packages}. "
        f"Load average before: {machine['load_before']}."
    )


def cpu() -> str:
    try:
        match = re.search(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    except OSError:
        match = None
    return match[1] if match else platform.processor() or platform.machine()


def output(*command: str) -> str:
    """What a program says, on either of its outputs; nothing when it is not there."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
    except OSError:
        return ""
    return (done.stdout or done.stderr).strip()
