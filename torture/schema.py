"""Schemathesis: what the project's own schema allows and what it does not, sent to the real server."""

import os
import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET
from pathlib import Path

from torture.stage import Stage

# It holds a schema to say everything that is refused, and JSON Schema cannot say that an ISBN has a checksum, that a
# password is a common one, or that a search has 32 different words at most.
LEFT_OUT = "positive_data_acceptance"
# A logout is 204 whatever is sent: whoever has no good token is signed out already.
CONFIGURATION = """
[[operations]]
include-name = "POST /auth/logout"
checks.negative_data_rejection.expected-statuses = ["204", "4xx"]
"""


def schema(stage: Stage) -> None:
    """Every check of schemathesis, in all its phases, until there were enough cases: 0 failures."""
    token = stage.staff()
    stage.books(20)
    wanted = stage.options.cases
    with stage.server() as server, tempfile.TemporaryDirectory(prefix="bookstore-schema-") as name:
        report = Path(name) / "report.xml"
        (Path(name) / "schemathesis.toml").write_text(CONFIGURATION)
        command = [
            *(sys.executable, "-m", "schemathesis.cli", "--config-file", str(Path(name) / "schemathesis.toml"), "run"),
            *(f"http://127.0.0.1:{server.port}/schema",),
            *("--checks", "all", "--exclude-checks", LEFT_OUT, "--phases", "examples,coverage,fuzzing,stateful"),
            *("--max-examples", str(max(1, wanted // 15)), "--header", f"Authorization: Bearer {token}"),
            *("--report-junit-path", str(report), "--no-color", "--max-failures", "50"),
            *("--request-timeout", "20", "--generation-database", "none", "--suppress-health-check", "all"),
        ]
        run = subprocess.run(command, capture_output=True, text=True, env=os.environ | {"COLUMNS": "150"}, cwd=name)
        failures = number_in(r"(\d+) (?:unique )?failures?", run.stdout)
        cases = number_in(r"(\d+) generated", run.stdout) or number_in(r"Test cases:\s+(\d+)", run.stdout)
        tests = len(ET.parse(report).findall(".//testcase")) if report.exists() else 0  # noqa: S314  written just now
    if run.returncode:
        print(run.stdout[-60_000:], run.stderr[-2000:])
    stage.report(
        "schemathesis, all checks and stateful",
        f"{cases} cases of {tests} operations, {failures} failures",
        run.returncode == 0 and cases >= wanted,
    )


def number_in(pattern: str, text: str) -> int:
    found = re.findall(pattern, text)
    return int(found[-1]) if found else 0
