"""Schemathesis: valid and invalid requests by the project's schema, sent to the real server."""

import os
import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET
from pathlib import Path

from proofs.stress.stage import Stage

# Only these may refuse what their schema allows: JSON Schema cannot say what they want besides.
FURTHER_RULES = {
    "POST /auth/login": "a password and an email without NUL",
    "POST /auth/refresh": "a token without NUL",
    "POST /genres": "a name without NUL",
    "POST /auth/register": "a password that is not a common one, nor like the email",
    "GET /books": "32 different words at most, and a least price that is not above the greatest",
    "GET /books/suggest": "words without NUL",
    "PATCH /auth/me": "a name and an email without NUL",
    "POST /books": "an ISBN with its checksum, a genre that there is",
    "PUT /books/{book_id}": "the same",
    "POST /cart/merge": "no book twice",
    "POST /auth/password/reset": "a password that is not a common one",
    "POST /orders/checkout": "a cart with a line",
}
# All others may still say that somebody, or something, is not there, stands in the way, or is as it was: that refuses
# no data.
CONFIGURATION = """
[checks.positive_data_acceptance]
expected-statuses = ["2xx", "304", "401", "403", "404", "409", "412"]

[[operations]]
# A logout is 204 whatever is sent: whoever has no good token is signed out already.
include-name = "POST /auth/logout"
checks.negative_data_rejection.expected-statuses = ["204", "4xx"]

[[operations]]
# A bad entry is skipped, and told in the results.
include-name = "POST /cart/preview"
checks.negative_data_rejection.expected-statuses = ["200", "4xx"]
""" + "".join(
    f'''
[[operations]]
include-name = "{name}"
checks.positive_data_acceptance.expected-statuses = ["2xx", "304", "401", "403", "404", "409", "412", "422"]
'''
    for name in FURTHER_RULES
)


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
            *("--checks", "all", "--phases", "examples,coverage,fuzzing,stateful"),
            *("--max-examples", str(max(1, wanted // 15)), "--header", f"Authorization: Bearer {token}"),
            *("--report-junit-path", str(report), "--no-color", "--max-failures", "50"),
            *("--request-timeout", "20", "--generation-database", "none", "--suppress-health-check", "all"),
        ]
        run = subprocess.run(command, capture_output=True, text=True, env=os.environ | {"COLUMNS": "150"}, cwd=name)
        failures = number_in(r"(\d+) (?:unique )?failures?", run.stdout)
        cases = number_in(r"(\d+) generated", run.stdout) or number_in(r"Test cases:\s+(\d+)", run.stdout)
        scenarios = number_in(r"Scenarios:\s+(\d+)", run.stdout)
        links = number_in(r"API Links:\s+(\d+) covered", run.stdout)
        tests = len(ET.parse(report).findall(".//testcase")) if report.exists() else 0  # noqa: S314  # written just now
    if run.returncode:
        print(run.stdout[-60_000:], run.stderr[-2000:])
    stage.report(
        "schemathesis, all checks and stateful",
        f"{cases} cases of {tests} operations, {failures} failures; "
        f"{scenarios} stateful scenarios over {links} links of one call to the next",
        run.returncode == 0 and cases >= wanted and scenarios > 0 and links > 0,
    )


def number_in(pattern: str, text: str) -> int:
    found = re.findall(pattern, text)
    return int(found[-1]) if found else 0
