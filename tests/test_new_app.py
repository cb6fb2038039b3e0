"""A new app changes settings.py, urls.py and its own folder: examples/wishlist is put into a copy of the tree."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from django.db import connection

ROOT = Path(__file__).resolve().parents[1]
# Bytecode comes along: the files keep their times, so that it is valid there.
LEFT_OUT = shutil.ignore_patterns(".*", "build", "node_modules", "*.sqlite3*")
# Tests of the whole shop that read what each app declares.
WHOLE_SHOP = (
    "tests/admin/test_matrix.py",
    "tests/test_architecture.py",
    "tests/contract/test_access_matrix.py",
    "tests/contract/test_contract.py",
    "tests/contract/test_hostile_input.py",
    "tests/server/test_metrics.py",
    "bookstore/accounts/tests/test_me.py",
)


def put(path: Path, before: str, added: str) -> None:
    """Adds a line before a known one."""
    text = path.read_text("utf-8")
    assert text.count(before) == 1, f"{path.name} has no line {before!r}"
    path.write_text(text.replace(before, added + before), "utf-8")


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    """A copy of the project with a wishlist: two of its files are changed."""
    tree = tmp_path_factory.mktemp("new-app") / "bookstore"
    shutil.copytree(ROOT, tree, ignore=LEFT_OUT)
    for name in (".coveragerc", ".env.example", ".dockerignore"):
        shutil.copy(ROOT / name, tree / name)
    shutil.move(tree / "examples" / "wishlist", tree / "wishlist")
    put(tree / "bookstore" / "settings.py", '    "catalog",\n', '    "wishlist",\n')
    put(
        tree / "bookstore" / "urls.py",
        '    path("", include("catalog.urls")),\n',
        '    path("", include("wishlist.urls")),\n',
    )
    return tree


def run(tree, *command):
    environ = os.environ | {
        "DEBUG": "1",
        "DATABASE_URL": f"sqlite:///{tree / 'bookstore.sqlite3'}",
        # Lasts, and is not that of `make lint`: an app in INSTALLED_APPS changes the types of all who know its models.
        "MYPY_CACHE_DIR": str(ROOT / ".mypy_cache" / "new-app"),
    }
    done = subprocess.run([sys.executable, "-m", *command], cwd=tree, env=environ, text=True, capture_output=True)
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-2000:]


pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(connection.vendor != "sqlite", reason="the same on every database: tried on SQLite"),
]


@pytest.mark.parametrize(
    "command", [("ruff", "check"), ("ruff", "format", "--check"), ("mypy",), ("manage", "makemigrations", "--check")]
)
def test_lint_finds_nothing_with_a_new_app(tree, command):
    run(tree, *command)


# Not again, one by one, what other apps' calls and pages answer, but for who may call them.
ABOUT_THE_NEW_APP = "wish or not [ or test_calls_are_answered_as_the_table_says"


def test_the_whole_shops_tests_pass_with_a_new_app(tree):
    run(
        *(tree, "pytest", "-q", "-p", "no:cacheprovider", "-k", ABOUT_THE_NEW_APP),
        *("wishlist", *WHOLE_SHOP),
    )
