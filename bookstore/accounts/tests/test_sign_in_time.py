"""A refused sign-in takes the time of the slowest hash in use, for any reason. On a fake clock."""

from collections.abc import Callable

import pytest

from bookstore.accounts import sign_in_time
from bookstore.accounts.exceptions import InvalidCredentials
from bookstore.accounts.hashers import Argon2id
from bookstore.accounts.models import User
from bookstore.accounts.tests.factories import PASSWORD, StaffFactory, UserFactory

pytestmark = pytest.mark.django_db

# Milliseconds that checking a password takes, by the memory parameter of its hash; 31 with today's.
TAKES = {"m=8192": 15, "m=19456": 31, "m=102400": 141}


class SmallMemory(Argon2id):
    memory_cost = 8192


class DjangosOwn(Argon2id):
    memory_cost, parallelism = 102_400, 8


@pytest.fixture
def clock(monkeypatch, settings) -> Callable[[], float]:
    """A clock that only checks of passwords and sleeps advance. Returns the milliseconds since the last call."""
    passed = [0.0]

    def look(raw, encoded):
        passed[0] += next((ms for memory, ms in TAKES.items() if memory in encoded), TAKES["m=19456"]) / 1000
        return raw == PASSWORD, False

    def wait(seconds):
        passed[0] += seconds

    def lap() -> float:
        ms, passed[0] = round(passed[0] * 1000, 3), 0.0
        return ms

    settings.PASSWORD_HASHERS = ["bookstore.accounts.hashers.Argon2id"]
    monkeypatch.setattr(sign_in_time, "pace", sign_in_time.Pace())
    monkeypatch.setattr(sign_in_time, "monotonic", lambda: passed[0])
    monkeypatch.setattr(sign_in_time, "sleep", wait)
    monkeypatch.setattr(sign_in_time, "verify_password", look)
    monkeypatch.setattr("bookstore.accounts.models.verify", look)
    return lap


def refused(email: str, password: str, clock: Callable[[], float]) -> float:
    clock()
    with pytest.raises(InvalidCredentials):
        User.objects.sign_in(email, password)
    return clock()


@pytest.fixture
def users(clock):
    """One of each: where a hash of other parameters is in use, and the clock has measured it."""
    UserFactory(email="alice@example.com")
    StaffFactory(email="inactive@example.com", is_active=False)
    UserFactory(email="nopassword@example.com", password=None)

    def with_hash_of(*hashers: type[Argon2id]) -> None:
        for hasher in hashers:
            encoded = hasher().encode(PASSWORD, "saltsaltsaltsaltsaltsa")
            UserFactory(email=f"{hasher.__name__.lower()}@example.com")
            User.objects.filter(email=f"{hasher.__name__.lower()}@example.com").update(password=encoded)
        with pytest.raises(InvalidCredentials):
            User.objects.sign_in("warm@example.com", "up")

    return with_hash_of


@pytest.mark.parametrize(
    ("hashers", "expected"),
    [
        ((), 31),
        ((SmallMemory,), 31),
        ((DjangosOwn,), 141),
        ((SmallMemory, DjangosOwn), 141),
    ],
    ids=["none", "faster", "slower", "both"],
)
def test_refusal_takes_the_time_of_the_slowest_hash_in_use(users, clock, hashers, expected):
    users(*hashers)
    emails = ["nobody@example.com", "alice@example.com", "nopassword@example.com"]
    emails += [f"{hasher.__name__.lower()}@example.com" for hasher in hashers]

    times = [refused(email, "another horse battery", clock) for email in emails]
    times.append(refused("inactive@example.com", PASSWORD, clock))

    assert times == pytest.approx([expected * sign_in_time.ROOM] * len(times))


def test_slow_hash_among_many_fast_ones_is_found(users, clock):
    users(SmallMemory, DjangosOwn)
    fast = User.objects.get(email="smallmemory@example.com").password
    User.objects.bulk_create(User(email=f"reader{number}@example.com", password=fast) for number in range(300))
    User.objects.filter(email="djangosown@example.com").update(id=1_000_000)
    sign_in_time.pace.until = 0.0

    assert refused("nobody@example.com", PASSWORD, clock) == pytest.approx(141 * sign_in_time.ROOM)


def test_refusal_that_was_held_up_takes_a_multiple(users, clock, monkeypatch):
    users()
    monkeypatch.setitem(TAKES, "m=19456", 50)

    assert refused("nobody@example.com", PASSWORD, clock) == pytest.approx(2 * 31 * sign_in_time.ROOM)


def test_sign_in_that_succeeds_does_not_wait(users, clock):
    users(DjangosOwn)
    clock()

    User.objects.sign_in("alice@example.com", PASSWORD)

    assert clock() == 31


def test_hashes_in_use_are_asked_for_again_after_half_a_minute(users, clock, monkeypatch, django_assert_num_queries):
    users()

    with django_assert_num_queries(1):  # looks for the user
        refused("nobody@example.com", PASSWORD, clock)
    monkeypatch.setattr(sign_in_time.pace, "until", 0.0)
    with django_assert_num_queries(2):
        refused("nobody@example.com", PASSWORD, clock)
