"""Every change of the API whose transaction fails at its COMMIT, as after a deadlock: it runs again, nobody is told.

Of the URL map and the apps' tables, so that a new call cannot be forgotten. By the models' verbs: the single statements
of the fast path have tests of their own.
"""

import json
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.db import DEFAULT_DB_ALIAS, OperationalError, connections
from psycopg.errors import SerializationFailure

from bookstore.accounts.models import User
from bookstore.accounts.tests.factories import UserFactory
from tests.support.calls import access, furnished

CHANGES = ("POST", "PUT", "PATCH", "DELETE")
ALICE, CAROL = 1, 3  # columns of the table of access
# A route, a method, who calls, and the status.
CALLS = [
    pytest.param(route, method, caller, row[method][caller], id=f"{method} {route}")
    for route, row in access().items()
    for method in CHANGES
    for caller in [CAROL if row[method][ALICE] == 403 else ALICE]
    if row[method][caller] < 400
]

# One statement by itself, or none.
WITHOUT_TRANSACTION = {
    "POST auth/logout",
    "POST auth/password/forgot",
    "POST auth/verify/resend",
    "PATCH auth/me",
    "POST cart/preview",
    "POST orders/<id:order_id>/paid",
}


@pytest.fixture
def shop(db, client_for, settings):
    settings.FAST_PATH = False
    alice, carol = UserFactory(email="alice@example.com"), UserFactory(email="carol@example.com", is_staff=True)
    carol.user_permissions.set(Permission.objects.all())
    there = furnished(alice)
    clients = {ALICE: client_for(User.objects.get(pk=alice.pk)), CAROL: client_for(carol)}
    return there, clients


@pytest.fixture
def fail_commit(monkeypatch):
    """`fail_commit(2)`: the second COMMIT from now on fails, and its transaction is rolled back. Once."""

    database = type(connections[DEFAULT_DB_ALIAS])

    def fail(number: int) -> list[int]:
        commit, commits = database._commit, []

        def failing(wrapper: Any) -> None:
            commits.append(len(commits) + 1)
            if commits[-1] == number:
                raise OperationalError("could not serialize access") from SerializationFailure()
            commit(wrapper)

        monkeypatch.setattr(database, "_commit", failing)
        return commits

    return fail


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("number", [1, 2], ids=["first", "second"])
@pytest.mark.parametrize(("route", "method", "caller", "status"), CALLS)
def test_change_whose_commit_fails_is_done_again(shop, fail_commit, route, method, caller, status, number):
    there, clients = shop
    body = there.bodies.get(route if method != "DELETE" else f"DELETE {route}")
    commits = fail_commit(number)

    answer = clients[caller].generic(method, there.path(route), json.dumps(body or {}), "application/json")

    assert answer.status_code == status, answer.content
    if number == 1 and f"{method} {route}" not in WITHOUT_TRANSACTION:
        assert commits[:2] == [1, 2], "nothing was committed, and so nothing tried"


def test_there_are_calls_of_each_app():
    assert {call.values[0].split("/")[0] for call in CALLS} >= {"auth", "books", "genres", "cart", "orders"}
