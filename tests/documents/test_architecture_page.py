"""The tables of docs/architecture.md that repeat the code: timeouts, and private names of libraries."""

import ast
import inspect
import re
from importlib import import_module
from pathlib import Path

import pytest
from django.conf import settings

from tests.support.server import ROOT

PAGE = (ROOT / "docs" / "architecture.md").read_text("utf-8")
PRIVATE = re.compile(r"_[a-z]\w*(?<!_)$")
ROOMS = ("bookstore", "catalog", "cart", "orders")
# Names with an underscore that Django documents, or that Python has.
PUBLIC = {"_meta", "_default_manager", "_base_manager", "_state", "_make", "_asdict", "_fields", "_replace", "_exit"}


def rows(chapter: str) -> list[list[str]]:
    """The cells of the table's rows, without its head."""
    [text] = re.findall(rf"^## {chapter}$(.*?)^## ", PAGE, re.MULTILINE | re.DOTALL)
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines[1:]]


def value_of(name: str) -> float:
    """Of a constant, of a directive of nginx, or the default of a setting."""
    if name.endswith("_timeout"):
        [seconds] = re.findall(rf"^    {name} (\d+)s;", (ROOT / "deploy" / "nginx.conf").read_text(), re.MULTILINE)
        return float(seconds)
    if "." not in name:
        [default] = re.findall(rf"^#?{name}=(\d+)$", (ROOT / ".env.example").read_text(), re.MULTILINE)
        return float(default)
    module, _, constant = name.rpartition(".")
    return float(getattr(import_module(module), constant))


@pytest.mark.parametrize(("who", "what", "seconds", "name"), rows("Timeouts"))
def test_a_timeout_is_the_one_of_the_code(who, what, seconds, name):
    [name] = re.findall(r"^`([\w.]+)`", name)
    if name.endswith("REQUEST_TIMEOUT") and settings.DB_STATEMENT_TIMEOUT != 5:
        pytest.skip("another DB_STATEMENT_TIMEOUT in this environment")

    assert float(seconds.replace(",", "")) == value_of(name)


def product() -> list[Path]:
    """Its files, from the root, without tests and migrations."""
    files = [path.relative_to(ROOT) for room in ROOMS for path in sorted((ROOT / room).rglob("*.py"))]
    return [file for file in files if not {"tests", "migrations"} & set(file.parts)]


def private_names() -> set[str]:
    """Attributes with an underscore that the product reads, sets or overrides, and that it does not define itself."""
    used, own, overridden = set(), set(), set()
    for path in product():
        for node in ast.walk(ast.parse((ROOT / path).read_text("utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                own.add(node.name)
            elif isinstance(node, ast.Attribute) and PRIVATE.match(node.attr):
                used.add(node.attr)
                base = ast.unparse(node.value)
                if base == "super()":
                    overridden.add(node.attr)
                elif base == "self" and isinstance(node.ctx, ast.Store):
                    own.add(node.attr)
    return (used - own | overridden) - PUBLIC


def overrides() -> set[str]:
    """Methods with an underscore of a library's class that a class of the product has, too."""
    found = set()
    for path in product():
        module = import_module(".".join(path.with_suffix("").parts).removesuffix(".__init__"))
        for cls in vars(module).values():
            if inspect.isclass(cls) and cls.__module__ == module.__name__:
                methods = {attr for attr, value in vars(cls).items() if inspect.isfunction(value)}
                libraries = [vars(base) for base in cls.__mro__[1:] if not in_product(base.__module__)]
                found |= {attr for attr in methods if PRIVATE.match(attr) and any(attr in base for base in libraries)}
    return found


def in_product(module: str) -> bool:
    return module.partition(".")[0] in ROOMS


def test_every_private_name_of_a_library_is_listed():
    listed = set(re.findall(r"`(_\w+)`", " ".join(cells[1] for cells in rows("Private internals"))))

    assert private_names() - listed == set()
    assert overrides() - listed == set()


def test_overrides_without_a_call_of_super_are_found():
    assert overrides() >= {"_set_content_type_params", "_get_response_bodies", "_configure_connection"}


@pytest.mark.parametrize("cells", rows("Private internals"), ids=lambda cells: cells[1][:40])
def test_a_private_name_is_where_the_table_says_and_has_its_test(cells):
    _, names, places, tests = cells
    code = " ".join(
        path.read_text("utf-8")
        for place in re.findall(r"`([\w./]+)`", places)
        for path in ((ROOT / place).rglob("*.py") if place.endswith("/") else [ROOT / place])
        if path.exists()
    )

    assert [name for name in re.findall(r"`(_\w+)`", names) if name not in code] == []
    assert [test for test in re.findall(r"`([\w./]+\.py)`", tests) if not (ROOT / test).exists()] == []
