"""Which room may know of which: cart → catalog → bookstore."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
MAY_IMPORT = {
    "bookstore": {"bookstore"},
    "catalog": {"catalog", "bookstore"},
    "cart": {"cart", "catalog", "bookstore"},
}


def imports_of(source: str) -> set[str]:
    """The top-level packages that a module imports, wherever in it."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            found.add(node.module.split(".")[0])
    return found & MAY_IMPORT.keys()


@pytest.mark.parametrize("room", MAY_IMPORT)
def test_imports_of_a_room_follow_the_arrows(room):
    wrong = {
        str(path.relative_to(ROOT)): sorted(imports_of(path.read_text()) - MAY_IMPORT[room])
        for path in (ROOT / room).rglob("*.py")
        if imports_of(path.read_text()) - MAY_IMPORT[room]
    }

    assert wrong == {}


def test_an_import_inside_a_function_counts():
    assert imports_of("def late():\n    from cart.models import Cart\n") == {"cart"}


def test_no_file_is_named_for_nothing():
    vague = {"utils.py", "common.py", "core.py", "helpers.py", "services.py", "managers.py"}

    assert [path for room in MAY_IMPORT for path in (ROOT / room).rglob("*.py") if path.name in vague] == []
