"""What every test of this repository stands on. The settings' environment is in tools/pytest_environment.py."""

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
# People, and what the apps above an app may use in their tests, too: an app's tests/fixtures.py.
pytest_plugins = [
    "tests.support.people",
    *(f"{each.parts[-3]}.tests.fixtures" for each in ROOT.glob("*/tests/fixtures.py")),
]

# An app to copy from, which is not installed here: tests/test_new_app.py runs its tests in a copy of the tree.
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

    In place of pytest-django's, which knows SQLite by Django's own ENGINE and would make a file of our one's name: it
    is in each worker's memory.
    """
    worker = getattr(request.config, "workerinput", {}).get("workerid")
    if worker and connection.vendor == "postgresql":
        default = connection.settings_dict
        default["TEST"]["NAME"] = f"test_{default['NAME']}_{worker}"


@pytest.fixture(autouse=True)
def cheap_and_patient_accounts(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Argon2 is slow on purpose, refused sign-ins as slow, and the throttle would count one test's into the next one's.

    Tests of these set them by themselves.
    """
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.AUTH_THROTTLE_RATE = settings.REGISTER_THROTTLE_RATE = None
    monkeypatch.setattr("bookstore.accounts.sign_in_time.pace.now", lambda others: 1e-6)


@pytest.fixture(autouse=True)
def nothing_kept() -> None:
    """The staff's overview keeps its numbers for a minute in the process: one test's are not the next one's."""
    cache.clear()


@pytest.fixture(autouse=True)
def the_servers_own_request(monkeypatch: pytest.MonkeyPatch) -> None:
    """Django's test client makes Django's own; bookstore/wsgi.py sets ours."""
    from bookstore.api.request import Utf8Request

    monkeypatch.setattr("django.test.client.WSGIRequest", Utf8Request)


@pytest.fixture(autouse=True)
def no_replicas(settings: Any) -> None:
    """A test's rows are on the primary, and often in a transaction: no replica has them.

    Tests of replicas name them by themselves.
    """
    settings.REPLICAS = {}


@pytest.fixture
def api() -> APIClient:
    """A client of the API that has not signed in."""
    return APIClient()


@pytest.fixture
def client_for(db: None) -> Callable[["User"], APIClient]:
    """`client_for(alice)`: a client that carries a real access token of hers."""
    from bookstore.accounts import tokens
    from bookstore.accounts.models import LoginSession

    def signed_in(user: "User") -> APIClient:
        client = APIClient()
        token = tokens.issue(LoginSession.objects.begin(user))["access_token"]
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
        return client

    return signed_in
