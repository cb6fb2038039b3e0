"""`python -m proofs.mutation.tests`: the tests that must notice a change; it ends with 0 when none does.

First on SQLite, with the tables as the models describe them now, so that a changed constraint is seen. A change of the
models that survives there meets PostgreSQL (MUTANTS_DATABASE_URL), whose tables are kept from one change to the next.
"""

import os
import subprocess
import sys
import tomllib
from pathlib import Path

HERE = Path(__file__).resolve().parents[2]
CONFIGURATION = HERE / "proofs" / "mutation" / "cosmic-ray.toml"
MODELS = ("cart/models.py", "cart/querysets.py", "cart/changing.py")


def paths(folder: str, names: str) -> list[str]:
    return [f"{folder}/tests/test_{name}.py" for name in names.split()]


# Of each file, the tests of what it decides. What is quick and sees much comes first: one failure is enough.
OF_MODELS = [
    *paths("cart", "verbs representation versions change_item add_item merge_cart remove_item clear_cart read_cart"),
    *paths("cart", "deletion model prune_carts restore"),
    "tests/database/test_constraints.py",
]
TESTS = {
    **dict.fromkeys(MODELS, OF_MODELS),
    "cart/permissions.py": paths("cart", "permissions change_item remove_item read_cart versions"),
    "cart/serializers.py": [
        *paths("cart", "schema representation add_item change_item merge_cart read_cart"),
        "tests/contract/test_contract.py",
        "tests/documents/test_openapi.py",
    ],
    "bookstore/api/errors.py": [
        *(f"tests/contract/test_{name}.py" for name in ("errors", "envelope", "contract")),
        "tests/database/test_database.py",
        "tests/server/test_refusal.py",
        *paths("cart", "permissions change_item merge_cart"),
        *paths("bookstore/accounts", "login throttle"),
    ],
}
# What only it can show: locks, its own constraints, what happens when two write at once.
ON_POSTGRESQL = [
    "tests/database/test_migrations.py",
    *paths("cart", "verbs versions statements merge_cart deletion prune_carts concurrency"),
]

# Loading every plugin that is installed would take longer than most of the runs.
ONLY_OURS = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
PYTEST = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "pytest_django.plugin", "-p", "no:cacheprovider"]


def changed() -> list[str]:
    """The file that differs from the one that it was copied from; all of them when none does."""
    files: list[str] = tomllib.loads(CONFIGURATION.read_text())["cosmic-ray"]["module-path"]
    original = Path(os.environ["MUTANTS_ORIGINAL"])
    return [name for name in files if (HERE / name).read_bytes() != (original / name).read_bytes()] or files


def main() -> int:
    files = changed()
    tests = list(dict.fromkeys(test for name in files for test in TESTS[name]))
    environment = os.environ | ONLY_OURS | {"DATABASE_URL": "sqlite:///mutants.sqlite3"}
    code = subprocess.run([*PYTEST, "--no-migrations", *tests], env=environment).returncode
    url = os.environ.get("MUTANTS_DATABASE_URL")
    if code or not url or not set(files) & set(MODELS):
        return code
    environment["DATABASE_URL"] = url
    return subprocess.run([*PYTEST, "--reuse-db", *ON_POSTGRESQL], env=environment).returncode


if __name__ == "__main__":
    sys.exit(main())
