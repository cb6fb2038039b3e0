"""Fixtures of all tests. The environment of the settings is in tools/pytest_environment.py."""

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import pytest
from django.conf import settings
from django.core.cache import cache
from django.db import connection, transaction
from django.test import TransactionTestCase, override_settings
from rest_framework.test import APIClient
from whitenoise.middleware import WhiteNoiseMiddleware

if TYPE_CHECKING:
    from bookstore.accounts.models import User


# As Django's test runner does it, and before any file is collected: some read the URL map then, which in the demo has
# the shop's pages.
settings.DEBUG = False

T = TypeVar("T")

ROOT = Path(__file__).parent
# People, and each app's tests/fixtures.py, which tests of other apps may use, too.
pytest_plugins = [
    "tests.support.people",
    *(f"{each.parts[-3]}.tests.fixtures" for each in ROOT.glob("*/tests/fixtures.py")),
]

# An example app, not installed here: tests/test_new_app.py runs its tests in a copy of the tree.
collect_ignore = ["examples/wishlist"]


# A test that asks for none of these, and has no mark of its own for a database, uses no database.
DATABASE_FIXTURES = {"django_db_setup", "db", "transactional_db"}
DATABASE_MARKS = ("django_db", "postgres", "own_session")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--uses-database",
        action="store_true",
        help="leave out the tests that use no database: `make test` has run them beside SQLite",
    )


def uses_database(item: pytest.Item) -> bool:
    if item.get_closest_marker("any_database"):
        return False
    fixtures = getattr(item, "fixturenames", ())
    return not DATABASE_FIXTURES.isdisjoint(fixtures) or any(map(item.get_closest_marker, DATABASE_MARKS))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if hasattr(config, "workerinput"):
        # Of pytest-xdist, which gives out files in this order: one that takes long and is begun last is waited for.
        slow = Counter(item.path for item in items if item.get_closest_marker("slow"))
        tests = Counter(item.path for item in items)
        items.sort(key=lambda item: (-slow[item.path], -tests[item.path], str(item.path)))
    if config.getoption("--uses-database"):
        config.hook.pytest_deselected(items=[item for item in items if not uses_database(item)])
        items[:] = [item for item in items if uses_database(item)]


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("postgres") and connection.vendor != "postgresql":
        pytest.skip(f"needs PostgreSQL, this run is on {connection.vendor}: make test-pg")
    if item.get_closest_marker("fast_path") and not settings.FAST_PATH:
        pytest.skip("asks what the fast path gains, and this run is without it")
    if item.get_closest_marker("own_session") and settings.DB_TRANSACTION_POOLING:
        pytest.skip("needs a session of its own, and this run's connections are PgBouncer's: make test-pg")


@pytest.fixture(scope="session")
def django_db_modify_db_settings_xdist_suffix(request: pytest.FixtureRequest) -> None:
    """A database for each worker of pytest-xdist.

    Replaces pytest-django's fixture, which recognises SQLite by Django's ENGINE and would make a file for ours, which
    is in each worker's memory.
    """
    worker = getattr(request.config, "workerinput", {}).get("workerid")
    if worker and connection.vendor == "postgresql":
        default = connection.settings_dict
        default["TEST"]["NAME"] = f"test_{default['NAME']}_{worker}"


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """After a test that commits, the database is emptied by tests/support/emptying.py and not by `flush`."""
    from tests.support.emptying import Emptier

    with django_db_blocker.unblock():
        # pytest-django makes no tables when no chosen test has the mark `django_db`.
        emptier = Emptier() if connection.introspection.table_names() else None
    if emptier is None:
        yield
        return
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", lambda case: emptier.empty())
        yield


@pytest.fixture(scope="session", autouse=True)
def static_files_are_looked_for_once() -> Iterator[None]:
    """Each client of a test makes the middleware anew, and WhiteNoise would look for every static file again: 15 ms."""
    look = WhiteNoiseMiddleware.add_files_from_finders
    found: dict[str, Any] = {}

    def look_once(middleware: WhiteNoiseMiddleware) -> None:
        if not found:
            look(middleware)
            found.update(middleware.files)
        middleware.files.update(found)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(WhiteNoiseMiddleware, "add_files_from_finders", look_once)
        yield


@pytest.fixture(scope="session", autouse=True)
def cheap_and_patient_shop() -> Iterator[None]:
    """What all tests run with, set once: for each test, Django's signals and the undoing took a millisecond.

    Fast hashes, no delay of refused sign-ins, and no throttle, which would count over several tests. No replicas: a
    test's rows are only on the primary, often in an open transaction. The test client creates our request class, as
    bookstore/wsgi.py does. Tests of these set them themselves, by `settings` or `monkeypatch`, which undo it.
    """
    from bookstore.accounts.sign_in_time import pace
    from bookstore.api.request import Utf8Request

    unlimited = dict.fromkeys(["AUTH_THROTTLE_RATE", "REGISTER_THROTTLE_RATE", "MAIL_THROTTLE_RATE"])
    with (
        override_settings(PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"], REPLICAS={}, **unlimited),
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setattr(pace, "now", lambda others: 1e-6)
        patch.setattr("django.test.client.WSGIRequest", Utf8Request)
        yield


@pytest.fixture(scope="module")
def rows_of_module(
    request: pytest.FixtureRequest, django_db_setup: None, django_db_blocker: Any
) -> Iterator[Callable[[Callable[[], T]], T]]:
    """`rows_of_module(make)`: calls `make`, and keeps the rows that it writes for all tests of this file.

    They are in a transaction around each test's own, which is rolled back as ever. A file whose tests commit
    (`transaction=True`) cannot use it.
    """
    commits = [item.name for item in request.session.items if item.path == request.path and commits_rows(item)]
    if commits:
        raise pytest.UsageError(f"rows_of_module: {commits[0]} in the same file commits")

    def made(make: Callable[[], T]) -> T:
        with django_db_blocker.unblock():
            return make()

    with django_db_blocker.unblock():
        around = transaction.atomic()
        around.__enter__()
    yield made
    with django_db_blocker.unblock():
        transaction.set_rollback(True)
        around.__exit__(None, None, None)


def commits_rows(item: pytest.Item) -> bool:
    mark = item.get_closest_marker("django_db")
    return "transactional_db" in getattr(item, "fixturenames", ()) or bool(mark and mark.kwargs.get("transaction"))


@pytest.fixture(autouse=True)
def nothing_kept() -> None:
    """Clears the cache of the staff's overview between tests."""
    cache.clear()


@pytest.fixture
def api() -> APIClient:
    """A client of the API that has not signed in."""
    return APIClient()


@pytest.fixture
def client_for(db: None) -> Callable[["User"], APIClient]:
    """`client_for(alice)`: a client that carries a real access token of hers."""
    from tests.support.bearer import signed_in

    return signed_in
