"""Which room may know of which: an app of INSTALLED_APPS imports only itself and those that the list names after it."""

import ast
from pathlib import Path

import pytest
from django.apps import apps

ROOT = Path(__file__).resolve().parents[1]
# From the top of the house to its floor. Apps inside another's folder (bookstore.accounts) are part of its room.
ROOMS = [app.name for app in apps.get_app_configs() if Path(app.path) == ROOT / app.name]


def imports_of(source: str) -> set[str]:
    """The top-level packages that a module imports, wherever in it."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            found.add(node.module.split(".")[0])
    return found & set(ROOMS)


def test_the_floor_is_the_last_room():
    assert ROOMS[-1] == "bookstore"
    assert len(ROOMS) > 1


@pytest.mark.parametrize("room", ROOMS)
def test_imports_of_a_room_follow_the_arrows(room):
    above = set(ROOMS[: ROOMS.index(room)])

    wrong = {
        str(path.relative_to(ROOT)): sorted(imports_of(path.read_text()) & above)
        for path in (ROOT / room).rglob("*.py")
        if imports_of(path.read_text()) & above
    }

    assert wrong == {}


def test_an_import_inside_a_function_counts():
    assert imports_of(f"def late():\n    from {ROOMS[0]}.models import Anything\n") == {ROOMS[0]}


def test_no_file_is_named_for_nothing():
    vague = {"utils.py", "common.py", "core.py", "helpers.py", "services.py", "managers.py"}

    assert [path for room in ROOMS for path in (ROOT / room).rglob("*.py") if path.name in vague] == []
