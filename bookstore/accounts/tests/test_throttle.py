"""AUTH_THROTTLE_RATE: the limit of attempts by one address and at one account."""

import os
import re
import subprocess
import sys
import threading
from datetime import timedelta
from ipaddress import ip_network

import pytest
from django.db import connection
from django.db.models.functions import Now

from bookstore.accounts.models import LoginSession, ThrottleWindow, User
from bookstore.accounts.tests.factories import PASSWORD, UserFactory
from bookstore.accounts.throttling import count
from bookstore.accounts.windows import ThrottleWindowQuerySet
from tests.support.server import ROOT, settings_for

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def three_a_minute(settings):
    settings.AUTH_THROTTLE_RATE = settings.REGISTER_THROTTLE_RATE = (3, 60)
    settings.TRUSTED_PROXIES = [ip_network("127.0.0.1")]


def login(api, email="alice@example.com", password="wrong horse battery", *, address="198.51.100.1"):
    body = {"email": email, "password": password}
    return api.post("/auth/login", body, HTTP_X_FORWARDED_FOR=address)


def register(api, email="alice@example.com", *, address="198.51.100.1"):
    body = {"email": email, "password": PASSWORD}
    return api.post("/auth/register", body, HTTP_X_FORWARDED_FOR=address)


def test_attempt_beyond_the_limit_answers_429_with_retry_after(api):
    for _ in range(3):
        assert login(api).status_code == 401

    response = login(api)

    assert response.status_code == 429
    wait = int(response.headers["Retry-After"])
    assert 1 <= wait <= 60
    assert response.json() == {"detail": f"Too many attempts: try again in {wait} s.", "code": "THROTTLED"}
    assert response.headers["Cache-Control"] == "no-store"


def test_right_password_does_not_pass_a_used_up_window(api):
    UserFactory(email="alice@example.com")
    for _ in range(3):
        login(api)

    response = login(api, password=PASSWORD)

    assert response.status_code == 429
    assert not LoginSession.objects.exists()


def test_successful_sign_ins_count_too(api):
    UserFactory(email="alice@example.com")

    answers = [login(api, password=PASSWORD).status_code for _ in range(4)]

    assert answers == [200, 200, 200, 429]


def test_no_password_is_checked_beyond_the_limit(api, monkeypatch):
    UserFactory(email="alice@example.com")
    checked = []
    monkeypatch.setattr(User, "check_password", lambda user, password: checked.append(password) or False)

    for _ in range(10):
        login(api)

    assert len(checked) == 3


def test_one_account_is_counted_over_all_addresses(api):
    answers = [login(api, address=f"198.51.100.{number}").status_code for number in range(5)]

    assert answers == [401, 401, 401, 429, 429]


def test_one_account_is_counted_in_every_case_of_its_email(api):
    emails = ["alice@example.com", "ALICE@example.com", "Alice@Example.com", "aLICE@example.com"]

    answers = [login(api, email, address=f"198.51.100.{n}").status_code for n, email in enumerate(emails)]

    assert answers == [401, 401, 401, 429]


def test_one_address_is_counted_over_all_accounts(api):
    answers = [login(api, f"reader{number}@example.com").status_code for number in range(5)]

    assert answers == [401, 401, 401, 429, 429]


def test_spoofed_addresses_left_of_the_clients_own_are_not_believed(api):
    answers = [
        login(api, f"reader{n}@example.com", address=f"203.0.113.{n}, 198.51.100.1").status_code for n in range(4)
    ]

    assert answers == [401, 401, 401, 429]


def test_another_address_and_account_is_not_held_up(api):
    for _ in range(4):
        login(api)

    assert login(api, "bob@example.com", address="198.51.100.2").status_code == 401


def test_register_and_login_are_counted_apart(api):
    for _ in range(4):
        login(api)

    assert register(api).status_code == 201


def test_register_beyond_the_limit_answers_429(api):
    answers = [register(api, f"reader{number}@example.com").status_code for number in range(4)]

    assert answers == [201, 201, 201, 429]
    assert User.objects.count() == 3


def test_bodies_that_are_refused_do_not_count(api):
    for _ in range(5):
        assert login(api, "x" * 255).status_code == 422
        assert register(api, "x").status_code == 422

    assert [login(api).status_code for _ in range(3)] == [401, 401, 401]
    assert register(api).status_code == 201


def test_refused_attempts_do_not_prolong_the_window(api):
    for _ in range(3):
        login(api)
    ends = set(ThrottleWindow.objects.values_list("expires_at", flat=True))

    for _ in range(3):
        login(api)

    assert set(ThrottleWindow.objects.values_list("expires_at", flat=True)) == ends
    assert set(ThrottleWindow.objects.values_list("count", flat=True)) == {3}


def test_window_that_is_over_begins_anew(api):
    for _ in range(4):
        login(api)
    ThrottleWindow.objects.update(expires_at=Now() - timedelta(seconds=1))

    answers = [login(api).status_code for _ in range(4)]

    assert answers == [401, 401, 401, 429]


def test_retry_after_is_what_is_left_of_the_window(api):
    for _ in range(3):
        login(api)
    ThrottleWindow.objects.update(expires_at=Now() + timedelta(seconds=7))

    assert login(api).headers["Retry-After"] in {"6", "7"}


def test_retry_after_is_never_zero(api):
    for _ in range(3):
        login(api)
    ThrottleWindow.objects.update(expires_at=Now() + timedelta(milliseconds=400))

    assert login(api).headers["Retry-After"] == "1"


def test_rate_off_counts_nothing(api, settings):
    settings.AUTH_THROTTLE_RATE = None

    answers = {login(api).status_code for _ in range(10)}

    assert answers == {401}
    assert not ThrottleWindow.objects.exists()


def test_lowered_limit_holds_in_a_window_that_goes_on(api, settings):
    for _ in range(3):
        login(api)
    settings.AUTH_THROTTLE_RATE = (2, 60)

    assert login(api).status_code == 429


def test_what_is_stored_names_nobody(api):
    login(api)

    keys = list(ThrottleWindow.objects.values_list("key", flat=True))
    assert len(keys) == 2
    assert all(len(key) == 64 and set(key) <= set("0123456789abcdef") for key in keys)


def test_counting_costs_three_queries_and_a_transaction(api, django_assert_num_queries):
    login(api)

    with django_assert_num_queries(6):  # two begin and end the transaction, the last looks for the user
        login(api)


def test_attempts_that_the_account_refuses_leave_the_address_alone(api):
    UserFactory(email="bob@example.com")
    for number in range(3):
        login(api, address=f"203.0.113.{number}")

    refused = [login(api).status_code for _ in range(10)]

    assert refused == [429] * 10
    assert login(api, "bob@example.com", PASSWORD).status_code == 200


def test_attempts_that_the_address_refuses_leave_the_account_alone(api):
    for number in range(3):
        login(api, f"reader{number}@example.com")

    refused = [login(api).status_code for _ in range(10)]

    assert refused == [429] * 10
    assert login(api, address="198.51.100.2").status_code == 401


def test_ten_colleagues_in_one_office_sign_in(api):
    for number in range(10):
        UserFactory(email=f"reader{number}@example.com")

    answers = [login(api, f"reader{number}@example.com", PASSWORD).status_code for number in range(10)]

    assert answers == [200] * 10


def test_a_sign_in_that_succeeds_gives_back_no_more_than_its_own(api):
    UserFactory(email="eve@example.com")
    login(api, "alice@example.com")
    login(api, "bob@example.com")

    for _ in range(3):
        login(api, "eve@example.com", PASSWORD)

    assert [login(api, f"reader{n}@example.com").status_code for n in range(2)] == [401, 429]


def test_registrations_have_a_limit_of_their_own(api, settings):
    settings.REGISTER_THROTTLE_RATE = (1, 3600)

    answers = [register(api, f"reader{number}@example.com") for number in range(2)]

    assert [answer.status_code for answer in answers] == [201, 429]
    assert int(answers[1].headers["Retry-After"]) > 60


def test_answers_tell_how_many_attempts_are_left(api):
    UserFactory(email="bob@example.com")

    answers = [login(api), login(api, "bob@example.com", PASSWORD), login(api), login(api), login(api)]

    assert [answer.status_code for answer in answers] == [401, 200, 401, 401, 429]
    assert {answer.headers["RateLimit-Policy"] for answer in answers} == {'"login";q=3;w=60'}
    told = [answer.headers["RateLimit"].rpartition(";")[0] for answer in answers]
    assert told == ['"login";r=2', '"login";r=1', '"login";r=1', '"login";r=0', '"login";r=0']


def test_refusals_tell_how_many_attempts_are_left_too(api, client_for, settings):
    settings.MAIL_THROTTLE_RATE = (3, 60)
    bob = client_for(UserFactory(email="bob@example.com"))
    wrong = {"password": "wrong horse battery"}

    answers = [
        register(api, "bob@example.com"),
        bob.post("/auth/password", {"old_password": wrong["password"], "new_password": "another horse battery"}),
        bob.patch("/auth/me", {"email": "robert@example.com", **wrong}),
        bob.delete("/auth/me", wrong),
    ]

    assert [answer.status_code for answer in answers] == [409, 403, 403, 403]
    told = [answer.headers["RateLimit"].partition(";t=")[0] for answer in answers]
    assert told == ['"register";r=2', '"password";r=2', '"mail";r=2', '"password";r=1']


def test_refused_sign_ins_are_logged_and_name_nobody(api, caplog):
    login(api)
    login(api)

    lines = [record.getMessage() for record in caplog.records if record.name == "bookstore.accounts"]
    assert len(set(lines)) == 1
    assert len(lines) == 2
    assert re.fullmatch(r"Sign-in refused \(API\): account [0-9a-f]{12}, address [0-9a-f]{12}", lines[0])


def second_looks_before_the_first_has_counted(monkeypatch, meanwhile):
    """`meanwhile` happens between the UPDATE of one attempt, which finds no window, and its look at the window."""
    looked = ThrottleWindowQuerySet.with_time_left
    pending = [meanwhile]

    def look(self):
        if pending:
            pending.pop()()
        return looked(self)

    monkeypatch.setattr(ThrottleWindowQuerySet, "with_time_left", look)


def test_two_first_attempts_at_once_are_both_let_through(monkeypatch):
    second_looks_before_the_first_has_counted(monkeypatch, lambda: count("a" * 64, 10, 60))

    assert count("a" * 64, 10, 60) == 0
    assert ThrottleWindow.objects.get().count == 2


def test_two_attempts_at_once_when_a_window_ends_are_both_let_through(monkeypatch):
    ThrottleWindow.objects.create(key="a" * 64, count=10, expires_at=Now() - timedelta(seconds=1))
    second_looks_before_the_first_has_counted(monkeypatch, lambda: count("a" * 64, 10, 60))

    assert count("a" * 64, 10, 60) == 0
    assert ThrottleWindow.objects.get().count == 2


def test_one_attempt_that_is_left_goes_to_one_of_two_at_once(monkeypatch):
    second_looks_before_the_first_has_counted(monkeypatch, lambda: count("a" * 64, 1, 60))

    assert count("a" * 64, 1, 60) > 0
    assert ThrottleWindow.objects.get().count == 1


def attempts_of_threads(threads: int, attempts: int, limit: int) -> int:
    """How many attempts were let through when all threads count on one key at once."""
    let_through, start = [], threading.Barrier(threads)

    def run() -> None:
        try:
            start.wait()
            let_through.append(sum(count("a" * 64, limit, 60) == 0 for _ in range(attempts)))
        finally:
            connection.close()

    workers = [threading.Thread(target=run) for _ in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return sum(let_through)


@pytest.mark.postgres
@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("limit", [1, 10, 100])
@pytest.mark.parametrize("window", ["none", "over"])
def test_sixteen_threads_let_exactly_the_limit_through(limit, window):
    if window == "over":
        ThrottleWindow.objects.create(key="a" * 64, count=limit, expires_at=Now() - timedelta(seconds=1))

    assert attempts_of_threads(16, 25, limit) == limit
    assert ThrottleWindow.objects.get().count == limit


ATTEMPTS = """
import django, sys, time
django.setup()
from bookstore.accounts.throttling import count
from bookstore.accounts.windows import ThrottleWindowQuerySet
from tests.support.server import ROOT, settings_for
from concurrent.futures import ThreadPoolExecutor
from django.db import connection
def run(_):
    try:
        return sum(count("a" * 64, 10, 60) == 0 for _ in range(20))
    finally:
        connection.close()
print("ready", flush=True)
sys.stdin.readline()
with ThreadPoolExecutor(4) as threads:
    print(sum(threads.map(run, range(4))))
"""


@pytest.mark.slow
@pytest.mark.any_database
def test_four_processes_on_one_sqlite_file_allow_just_the_limit(tmp_path):
    """Four processes of four threads each, as the server would run them."""
    url = f"sqlite:///{tmp_path / 'throttle.sqlite3'}"
    environment = (
        os.environ
        | settings_for(url)
        | {
            "DEBUG": "1",
            "DJANGO_SETTINGS_MODULE": "bookstore.settings",
            "PYTHONPATH": str(ROOT),
        }
    )
    migrate = [sys.executable, "manage.py", "migrate", "accounts", "--verbosity=0"]
    subprocess.run(migrate, cwd=ROOT, env=environment, check=True, timeout=120)
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", ATTEMPTS],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    for worker in workers:
        assert worker.stdout.readline() == "ready\n"
    for worker in workers:
        worker.stdin.write("go\n")
        worker.stdin.flush()

    let_through = [int(worker.communicate(timeout=120)[0]) for worker in workers]

    assert sum(let_through) == 10
