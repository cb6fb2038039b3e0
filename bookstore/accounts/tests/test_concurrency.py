"""What several clients do at the same moment, on a database that really does it at the same moment."""

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from django.db import connection, transaction
from rest_framework.test import APIClient

from bookstore.accounts.models import LoginSession, User
from bookstore.accounts.tests.factories import PASSWORD, UserFactory

pytestmark = [pytest.mark.postgres, pytest.mark.slow, pytest.mark.django_db(transaction=True)]

THREADS = 16
ROUNDS = 8


def at_once(calls: Sequence[Callable[[], Any]]) -> list[Any]:
    """What each call returned; all begin together, each on a connection of its own."""
    answers: list[Any] = [None] * len(calls)
    start = threading.Barrier(len(calls))

    def run(index: int) -> None:
        try:
            start.wait()
            answers[index] = calls[index]()
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(index,)) for index in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def deadlocks() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_clear_snapshot()")
        cursor.execute("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
        return cursor.fetchone()[0]


def post(path: str, **body: Any) -> Callable[[], Any]:
    return lambda: APIClient(raise_request_exception=False).post(path, body)


def test_one_email_registered_at_once_in_different_case_has_one_winner():
    for number in range(ROUNDS):
        spellings = [f"alice{number}@example.com", f"Alice{number}@Example.com", f"ALICE{number}@EXAMPLE.COM"]

        answers = at_once([post("/auth/register", email=spellings[n % 3], password=PASSWORD) for n in range(THREADS)])

        assert Counter(answer.status_code for answer in answers) == {201: 1, 409: THREADS - 1}
        assert {answer.json()["code"] for answer in answers if answer.status_code == 409} == {"AUTH_EMAIL_CONFLICT"}
        assert User.objects.count() == LoginSession.objects.count() == number + 1


def test_one_refresh_token_used_at_once_has_one_winner_and_ends_all_sessions(tokens_of):
    before = deadlocks()
    for number in range(ROUNDS):
        alice = UserFactory(email=f"alice{number}@example.com")
        tokens_of(alice)
        token = tokens_of(alice)["refresh_token"]

        answers = at_once([post("/auth/refresh", refresh_token=token) for _ in range(THREADS)])

        codes = Counter(answer.json().get("code", answer.status_code) for answer in answers)
        assert codes == {200: 1, "AUTH_TOKEN_REUSE": THREADS - 1}
        assert not LoginSession.objects.going_on().exists()
    assert deadlocks() == before


def test_sessions_of_one_user_ended_and_refreshed_at_once_are_all_over(tokens_of):
    before = deadlocks()
    for number in range(ROUNDS):
        alice = UserFactory(email=f"alice{number}@example.com")
        sessions = [tokens_of(alice)["refresh_token"] for _ in range(THREADS - 4)]

        answers = at_once(
            [*(post("/auth/refresh", refresh_token=token) for token in sessions), *[alice.end_sessions] * 4]
        )

        codes = {answer.json().get("code", answer.status_code) for answer in answers[:-4]}
        assert codes <= {200, "AUTH_REFRESH_INVALID"}
        assert sum(answers[-4:]) == len(sessions)
        assert not LoginSession.objects.going_on().exists()
    assert deadlocks() == before


def test_login_while_the_user_is_deleted_gives_no_error_of_ours():
    for number in range(ROUNDS):
        alice = UserFactory(email=f"alice{number}@example.com")
        login = post("/auth/login", email=alice.email, password=PASSWORD)

        answers = at_once([*[login] * 7, alice.delete])

        assert {answer.status_code for answer in answers[:-1]} <= {200, 401}
        assert not LoginSession.objects.exists()


def test_sign_in_under_way_does_not_slip_past_the_end_of_all_sessions():
    alice, ended = UserFactory(email="alice@example.com"), []

    def end_sessions() -> None:
        ended.append(alice.end_sessions())
        connection.close()

    with transaction.atomic():
        LoginSession.objects.begin(alice)
        ender = threading.Thread(target=end_sessions)
        ender.start()
        ender.join(timeout=0.5)
        assert ender.is_alive()  # it waits for the session that is not committed yet
    ender.join()

    assert ended == [1]
    assert not LoginSession.objects.going_on().exists()
