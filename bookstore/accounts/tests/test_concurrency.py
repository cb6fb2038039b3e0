"""Concurrent calls of several clients, each on its own connection."""

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client
from rest_framework.test import APIClient

from bookstore.accounts import models
from bookstore.accounts.exceptions import LastSuperuser
from bookstore.accounts.models import LoginSession, User
from bookstore.accounts.tests.factories import PASSWORD, SuperuserFactory, UserFactory
from tests.support.racing import meet

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


def test_one_email_registered_twice_in_other_case_has_one_winner():
    for number in range(ROUNDS):
        spellings = [f"alice{number}@example.com", f"Alice{number}@Example.com", f"ALICE{number}@EXAMPLE.COM"]

        answers = at_once([post("/auth/register", email=spellings[n % 3], password=PASSWORD) for n in range(THREADS)])

        assert Counter(answer.status_code for answer in answers) == {201: 1, 409: THREADS - 1}
        assert {answer.json()["code"] for answer in answers if answer.status_code == 409} == {"AUTH_EMAIL_CONFLICT"}
        assert User.objects.count() == LoginSession.objects.count() == number + 1


def test_one_refresh_token_used_at_once_gives_all_the_same_successor(tokens_of):
    before = deadlocks()
    for number in range(ROUNDS):
        token = tokens_of(UserFactory(email=f"alice{number}@example.com"))["refresh_token"]

        answers = at_once([post("/auth/refresh", refresh_token=token) for _ in range(THREADS)])

        assert Counter(answer.status_code for answer in answers) == {200: THREADS}
        assert len({answer.json()["refresh_token"] for answer in answers}) == 1
    assert deadlocks() == before


def test_one_refresh_token_used_at_once_without_grace_has_one_winner(tokens_of, settings):
    settings.REFRESH_GRACE_SECONDS = 0
    before = deadlocks()
    for number in range(ROUNDS):
        alice = UserFactory(email=f"alice{number}@example.com")
        elsewhere = LoginSession.objects.begin(alice)
        token = tokens_of(alice)["refresh_token"]

        answers = at_once([post("/auth/refresh", refresh_token=token) for _ in range(THREADS)])

        codes = Counter(answer.json().get("code", answer.status_code) for answer in answers)
        assert codes == {200: 1, "AUTH_TOKEN_REUSE": THREADS - 1}
        assert list(alice.sessions.going_on()) == [elsewhere]
    assert deadlocks() == before


def test_refresh_while_the_password_changes_gives_no_token_that_lives(tokens_of, call_with):
    for number in range(ROUNDS):
        alice = UserFactory(email=f"alice{number}@example.com")
        sessions = [tokens_of(alice)["refresh_token"] for _ in range(THREADS - 1)]

        def change(alice: User = alice) -> None:
            alice.set_password("another horse battery")
            alice.save(update_fields=["password"])

        answers = at_once([*(post("/auth/refresh", refresh_token=token) for token in sessions), change])

        tokens = [answer.json()["access_token"] for answer in answers[:-1] if answer.status_code == 200]
        assert {answer.status_code for answer in answers[:-1]} <= {200, 401}
        assert {call_with(f"Bearer {token}").status_code for token in tokens} <= {401}


def test_refresh_waits_for_a_change_of_the_password_that_is_under_way(tokens_of):
    alice, answers = UserFactory(email="alice@example.com"), []
    refresh = post("/auth/refresh", refresh_token=tokens_of(alice)["refresh_token"])

    def refreshing() -> None:
        answers.append(refresh())
        connection.close()

    with transaction.atomic():
        alice.set_password("another horse battery")
        alice.save(update_fields=["password"])
        thread = threading.Thread(target=refreshing)
        thread.start()
        thread.join(timeout=0.5)
        assert thread.is_alive()
    thread.join()

    assert [answer.json()["code"] for answer in answers] == ["AUTH_REFRESH_INVALID"]


def test_sign_ins_at_once_that_renew_a_hash_all_give_good_tokens(settings, call_with):
    alice = UserFactory(email="alice@example.com")
    first = LoginSession.objects.begin(alice)
    settings.PASSWORD_HASHERS = [
        "bookstore.accounts.hashers.Argon2id",
        "django.contrib.auth.hashers.MD5PasswordHasher",
    ]

    answers = at_once([post("/auth/login", email=alice.email, password=PASSWORD) for _ in range(4)])

    assert [answer.status_code for answer in answers] == [200] * 4
    tokens = [answer.json()["access_token"] for answer in answers]
    assert [call_with(f"Bearer {token}").status_code for token in tokens] == [200] * 4
    assert first in LoginSession.objects.going_on()


def test_two_superusers_who_deactivate_each_other_leave_one():
    for _ in range(ROUNDS):
        User.objects.all()._raw_delete("default")
        owners = [SuperuserFactory(), SuperuserFactory()]

        def deactivate(owner: User) -> str:
            owner.is_active = False
            try:
                owner.save(update_fields=["is_active"])
            except LastSuperuser:
                return "refused"
            return "deactivated"

        answers = at_once([lambda owner=owner: deactivate(owner) for owner in owners])

        assert sorted(answers) == ["deactivated", "refused"]
        assert User.objects.superusers().count() == 1


def no_superuser(owner: User, user: User) -> Callable[[], int]:
    """A POST of this superuser, that takes the rights of another; returns its status."""
    fields = {"email": user.email, "initial-email": user.email, "is_active": "on", "is_staff": "on"}
    shown = {f"initial-{name}": "True" for name in ("is_active", "is_staff", "is_superuser")}
    return posted(owner, f"/admin/accounts/user/{user.pk}/change/", fields | shown)


def no_password(owner: User, user: User) -> Callable[[], int]:
    form = {"usable_password": "false", "unset-password": "1"}
    return posted(owner, f"/admin/accounts/user/{user.pk}/password/", form)


def posted(owner: User, path: str, form: dict[str, str]) -> Callable[[], int]:
    site = Client(raise_request_exception=False)
    site.force_login(owner)  # not in the race: it writes the user's row
    return lambda: site.post(path, form).status_code


@pytest.mark.parametrize("take", [no_superuser, no_password])
def test_two_superusers_at_each_others_pages_do_not_deadlock(take):
    alice, bob = SuperuserFactory(email="alice@example.com"), SuperuserFactory(email="bob@example.com")
    before = deadlocks()

    answers = meet(take(alice, bob), take(bob, alice), at=(models, "a_superuser_stays"))

    assert answers == (302, 302)
    assert deadlocks() == before
    assert list(User.objects.superusers()) == [alice]


def test_sessions_ended_and_refreshed_at_once_are_all_over(tokens_of):
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
