"""Which private names of libraries the product uses: those of the table in docs/architecture.md, and no other.

An upgrade may change any of them without a word. The table names the test that would then fail.
"""

import ast
import importlib
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps

ROOT = Path(__file__).resolve().parents[2]
# Begin with a line below, and are documented all the same: of NamedTuple, os, and Django's models and managers.
DOCUMENTED = {"_asdict", "_fields", "_make", "_replace", "_exit", "_meta", "_state", "_db"}
DOCUMENTED |= {"_base_manager", "_default_manager"}
PRIVATE = re.compile(r"_[a-z]\w*")
Use = tuple[str, str]  # file, name


def product() -> dict[str, ast.Module]:
    """The project's own code, without tests and migrations."""
    rooms = {"bookstore", *(Path(app.path).name for app in apps.get_app_configs() if Path(app.path).parent == ROOT)}
    files = [path.relative_to(ROOT) for room in sorted(rooms) for path in sorted((ROOT / room).rglob("*.py"))]
    return {
        file.as_posix(): ast.parse((ROOT / file).read_text("utf-8"))
        for file in files
        if not {"tests", "migrations"} & set(file.parts)
    }


def own_names(trees: dict[str, ast.Module]) -> set[str]:
    """What the project itself defines or assigns, anywhere."""
    names = set()
    for node in (node for tree in trees.values() for node in ast.walk(tree)):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and of_self(node):
            names.add(node.attr)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
    return names


def of_self(node: ast.Attribute) -> bool:
    return isinstance(node.value, ast.Name) and node.value.id in {"self", "cls"}


def used(tree: ast.Module) -> Iterator[str]:
    """Private names that the file reads: as an attribute, by getattr, or from another module."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            yield node.attr
        elif isinstance(node, ast.ImportFrom):
            yield from (node.module or "").split(".")
            yield from (each.name for each in node.names)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id[1:] == "etattr":
            yield from (each.value for each in node.args if isinstance(each, ast.Constant) and each.value is not None)


def overridden(file: str, tree: ast.Module) -> Iterator[str]:
    """Private names of a library's class that a class of ours defines or assigns again."""
    for node in (node for node in ast.walk(tree) if isinstance(node, ast.ClassDef) and node.bases):
        names = {each.name for each in node.body if isinstance(each, ast.FunctionDef)}
        names |= {each.attr for each in ast.walk(node) if isinstance(each, ast.Attribute) and of_self(each)}
        names = set(filter(PRIVATE.fullmatch, names)) - DOCUMENTED
        if names:
            module = importlib.import_module(file.removesuffix(".py").removesuffix("/__init__").replace("/", "."))
            source = "".join(sources_of_libraries(getattr(module, node.name, object)))
            yield from (name for name in names if re.search(rf"\b{name}\b", source))


def sources_of_libraries(found: Any) -> Iterator[str]:
    for base in inspect.getmro(found)[1:]:
        file = inspect.getsourcefile(base) if base.__module__ not in {"builtins", "typing"} else None
        if file and not (Path(file).is_relative_to(ROOT) and "site-packages" not in Path(file).parts):
            yield inspect.getsource(base)


def private_names() -> set[Use]:
    trees = product()
    own = own_names(trees)
    found = {
        (file, str(name))
        for file, tree in trees.items()
        for name in used(tree)
        if PRIVATE.fullmatch(str(name)) and name not in own | DOCUMENTED
    }
    return found | {(file, name) for file, tree in trees.items() for name in overridden(file, tree)}


def table() -> list[tuple[str, list[str], str]]:
    """The rows of the documents' table: file, names, test."""
    document = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    _, _, section = document.partition("\n## Private names of libraries\n")
    rows = re.findall(r"^\|[^|]*\|([^|]*)\|([^|]*)\|([^|]*)\|$", section.partition("\n## ")[0], re.MULTILINE)[2:]
    return [(file.strip(" `"), re.findall(r"_\w+", names), test.strip(" `")) for names, file, test in rows]


def test_private_names_are_those_of_the_documents():
    documented = {(file, name) for file, names, _ in table() for name in names}

    found = private_names()

    assert sorted(found - documented) == []
    assert sorted(documented - found) == []


def test_each_private_name_has_a_test_that_guards_it():
    assert [test for _, _, test in table() if not (ROOT / test).is_file()] == []


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("from django.db import connection\nconnection._savepoints", ["_savepoints"]),
        ("getattr(queryset, '_result_cache', None)", ["_result_cache"]),
        ("from psycopg._enums import Format", ["_enums"]),
        ("from urllib.parse import _splitport", ["_splitport"]),
        ("row.__class__, row.pk, {'_meta': 1}", []),
    ],
)
def test_use_of_a_private_name_is_found(source, names):
    assert [name for name in used(ast.parse(source)) if PRIVATE.fullmatch(str(name))] == names


def test_override_of_a_private_name_is_found():
    source = (ROOT / "bookstore" / "api" / "handler.py").read_text("utf-8")

    found = set(overridden("bookstore/api/handler.py", ast.parse(source)))

    assert {"_get_response", "_view_middleware", "_middleware_chain"} <= found
