"""Which room may import which: an app of INSTALLED_APPS imports only itself and those that the list names after it."""

import ast
from pathlib import Path

import pytest
from django.apps import apps

ROOT = Path(__file__).resolve().parents[1]
# From the top down. Apps inside another's folder (bookstore.accounts) are part of its room.
ROOMS = [app.name for app in apps.get_app_configs() if Path(app.path) == ROOT / app.name]


def modules_of(source: str) -> set[str]:
    """The modules that a module imports, anywhere in it; `from a import b` counts as a.b."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def imports_of(source: str) -> set[str]:
    """The rooms that a module imports."""
    return {module.split(".")[0] for module in modules_of(source)} & set(ROOMS)


def test_bookstore_is_the_last_room():
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


# The packages of bookstore/, from the top down. Those of one entry may import each other.
LAYERS = [{"accounts"}, {"admin", "audit"}, {"mail"}, {"tasks"}, {"server"}, {"api"}, {"fastpath"}, {"database"}]


@pytest.mark.parametrize("depth", range(len(LAYERS)), ids=lambda depth: " ".join(sorted(LAYERS[depth])))
def test_imports_inside_bookstore_follow_the_layers(depth):
    above = {f"bookstore.{name}" for layer in LAYERS[:depth] for name in layer}

    wrong = [
        (str(path.relative_to(ROOT)), module)
        for name in sorted(LAYERS[depth])
        for path in (ROOT / "bookstore" / name).rglob("*.py")
        if "tests" not in path.parts
        for module in modules_of(path.read_text())
        if ".".join(module.split(".")[:2]) in above
    ]

    assert wrong == []


def test_every_package_of_bookstore_has_a_layer():
    packages = {path.parent.name for path in (ROOT / "bookstore").glob("*/__init__.py")}

    assert packages - set().union(*LAYERS) == {"management"}


def test_an_import_inside_a_function_counts():
    assert imports_of(f"def late():\n    from {ROOMS[0]}.models import Anything\n") == {ROOMS[0]}


def test_no_file_is_named_for_nothing():
    vague = {"utils.py", "common.py", "core.py", "helpers.py", "services.py", "managers.py"}

    assert [path for room in ROOMS for path in (ROOT / room).rglob("*.py") if path.name in vague] == []
