"""The settings' environment under pytest, whether `make test` starts it or someone types `pytest`.

A plugin of its own and not part of conftest.py: pytest-django reads the settings before any conftest is imported.
pytest.ini loads this one earlier (`-p`). What is already set wins, so a single run can try another value.
"""

import gc
import os
from collections.abc import Callable, Generator
from pathlib import Path

import pytest

from bookstore import environment

ENV_FILE = Path(__file__).resolve().parent.parent / ".env"


def read_file(path: Path, read: Callable[[Path], None] = environment.read_file) -> None:
    """A developer's .env must not decide whether a test passes."""
    if path != ENV_FILE:
        read(path)


environment.read_file = read_file
os.environ.setdefault("DEBUG", "1")


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Without the garbage collector: thousands of tests are made and none is dropped.

    After it the collector runs more rarely: each time it looks through the tests, too, which took a tenth of the time.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.set_threshold(20_000, 50, 100)
        gc.enable()
