import shutil
from collections.abc import Iterator

import pytest
from django.db import connection

from tests.support.installed import Installed, installed
from tests.support.server import url_of


@pytest.fixture(scope="session")
def shop(django_db_setup) -> Iterator[Installed]:
    """A database of its own as docs/running.md sets it up, with two roles. Its rows stay from test to test.

    Mark the test `django_db`: without one pytest-django sets up no database, and the name is not the tests'.
    """
    if not shutil.which("pg_dump") or not shutil.which("psql"):
        pytest.skip("psql and pg_dump are not on PATH")
    name = connection.settings_dict["NAME"]
    with installed(url_of(connection.settings_dict), f"{name}_shop") as made:
        yield made
