"""Fixtures of all tests. The environment of the settings is in tools/pytest_environment.py."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from django.conf import settings
from django.core.cache import cache
from django.db import connection
from rest_framework.test import APIClient

if TYPE_CHECKING:
    from bookstore.accounts.models import User


ROOT = Path(__file__).parent
# People, and each app's tests/fixtures.py, which tests of other apps may use, too.
pytest_plugins = [
    "tests.support.people",
    *(f"{each.parts[-3]}.tests.fixtures" for each in ROOT.glob("*/tests/fixtures.py")),
]

# An example app, not installed here: tests/test_new_app.py runs its tests in a copy of the tree.
collect_ignore = ["examples/wishlist"]


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


@pytest.fixture(autouse=True)
def cheap_and_patient_accounts(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fast hashes, no delay of refused sign-ins, and no throttle, which would count over several tests.

    Tests of these set them themselves.
    """
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.AUTH_THROTTLE_RATE = settings.REGISTER_THROTTLE_RATE = settings.MAIL_THROTTLE_RATE = None
    monkeypatch.setattr("bookstore.accounts.sign_in_time.pace.now", lambda others: 1e-6)


@pytest.fixture(autouse=True)
def nothing_kept() -> None:
    """Clears the cache of the staff's overview between tests."""
    cache.clear()


@pytest.fixture(autouse=True)
def the_servers_own_request(monkeypatch: pytest.MonkeyPatch) -> None:
    """The test client creates our request class, as bookstore/wsgi.py does."""
    from bookstore.api.request import Utf8Request

    monkeypatch.setattr("django.test.client.WSGIRequest", Utf8Request)


@pytest.fixture(autouse=True)
def no_replicas(settings: Any) -> None:
    """A test's rows are only on the primary, often in an open transaction.

    Tests of replicas set them themselves.
    """
    settings.REPLICAS = {}


@pytest.fixture
def api() -> APIClient:
    """A client of the API that has not signed in."""
    return APIClient()


@pytest.fixture
def client_for(db: None) -> Callable[["User"], APIClient]:
    """`client_for(alice)`: a client with a real access token of hers."""
    from bookstore.accounts import tokens
    from bookstore.accounts.models import LoginSession

    def signed_in(user: "User") -> APIClient:
        client = APIClient()
        token = tokens.issue(LoginSession.objects.begin(user))["access_token"]
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
        return client

    return signed_in
