"""`python -m mutants.tests`: the tests that must notice a change; it ends with 0 when none does.

First on SQLite, with the tables as the models describe them now, so that a changed constraint is seen. Who survives
there meets PostgreSQL (MUTANTS_DATABASE_URL), whose tables are kept from one change to the next.
"""

import os
import subprocess
import sys

# What is quick and sees much comes first, because the first failure is enough.
TESTS = [
    *(f"bookstore/tests/test_{name}.py" for name in ("errors", "envelope")),
    *(
        f"cart/tests/test_{name}.py"
        for name in ("permissions", "schema", "representation", "verbs", "versions", "change_item", "add_item")
    ),
    *(f"cart/tests/test_{name}.py" for name in ("merge_cart", "remove_item", "clear_cart", "read_cart", "deletion")),
    *(f"bookstore/tests/test_{name}.py" for name in ("contract", "constraints", "database")),
    "cart/tests/test_model.py",
]
# What only it can show: locks, its own constraints, what happens when two write at once.
ON_POSTGRESQL = [
    "bookstore/tests/test_migrations.py",
    *(f"cart/tests/test_{name}.py" for name in ("verbs", "statements", "merge_cart", "deletion", "concurrency")),
]
# Loading every plugin that is installed would take longer than most of the runs.
ONLY_OURS = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
PYTEST = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "pytest_django.plugin", "-p", "no:cacheprovider"]


def main() -> int:
    environment = os.environ | ONLY_OURS | {"DATABASE_URL": "sqlite:///mutants.sqlite3"}
    code = subprocess.run([*PYTEST, "--no-migrations", *TESTS], env=environment).returncode
    if code or not (url := os.environ.get("MUTANTS_DATABASE_URL")):
        return code
    environment["DATABASE_URL"] = url
    return subprocess.run([*PYTEST, "--reuse-db", *ON_POSTGRESQL], env=environment).returncode


if __name__ == "__main__":
    sys.exit(main())
