"""What every test of this repository stands on. The settings' environment is in scripts/pytest_environment.py."""

import pytest
from django.db import connection


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("postgres") and connection.vendor != "postgresql":
        pytest.skip(f"needs PostgreSQL, this run is on {connection.vendor}: make test-pg")
