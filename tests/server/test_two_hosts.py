"""Two hosts of one shop have nothing in common but the database and the settings."""

import pytest

from bookstore.accounts.tests.factories import PASSWORD
from tests.support.client import Client
from tests.support.server import running_server

pytestmark = [pytest.mark.slow, pytest.mark.postgres, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def hosts():
    """A client of each; three attempts to sign in a minute."""
    settings = {"workers": 1, "AUTH_THROTTLE_RATE": "3/min"}
    with running_server(**settings) as one, running_server(**settings) as other, Client(one) as a, Client(other) as b:
        yield a, b


def test_what_happens_on_one_host_is_known_on_the_other(hosts):
    one, other = hosts
    tokens = one("POST", "/auth/register", {"email": "alice@example.com", "password": PASSWORD}).body
    for client in hosts:
        client.headers["Authorization"] = f"Bearer {tokens['access_token']}"

    signed_in = one("GET", "/cart").status, other("GET", "/cart").status
    guesses = [
        client("POST", "/auth/login", {"email": "bob@example.com", "password": "x"}).status for client in hosts * 2
    ]
    refreshed = other("POST", "/auth/refresh", {"refresh_token": tokens["refresh_token"]})
    again = one("POST", "/auth/refresh", {"refresh_token": tokens["refresh_token"]})
    of_the_renewed = one("POST", "/auth/refresh", {"refresh_token": refreshed.body["refresh_token"]})
    replayed = other("POST", "/auth/refresh", {"refresh_token": tokens["refresh_token"]})
    ended = [client("GET", "/cart").status for client in hosts]

    assert signed_in == (200, 200)
    assert guesses == [401, 401, 401, 429]
    assert refreshed.status == 200
    # The grace holds on every host.
    assert (again.status, again.body["refresh_token"]) == (200, refreshed.body["refresh_token"])
    assert of_the_renewed.status == 200
    assert (replayed.status, replayed.code) == (401, "AUTH_TOKEN_REUSE")  # it is older than that now
    assert ended == [401, 401]
