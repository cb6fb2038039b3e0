"""Makes every refused sign-in take the same time, so that it does not tell who is registered.

Hashes contain their parameters, and those with other parameters (older ones, or imported from another shop) take
another time to check. While such hashes are in use, every refusal takes as long as the slowest kind.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic, sleep

from django.conf import settings
from django.contrib.auth.hashers import verify_password

from bookstore.accounts.passwords import hash_of

SAMPLED = 200  # hashes with other parameters that are read
KEPT = 30  # seconds that a process caches the kinds of hashes
ROOM = 1.25  # times the slowest hash's: covers the jitter and the queries


def seconds_of(encoded: str) -> float:
    """The time to check a wrong password against this hash: the shortest of three runs."""
    times = []
    for _ in range(3):
        started = monotonic()
        verify_password("nobody's password", encoded)
        times.append(monotonic() - started)
    return min(times)


def kind_of(encoded: str) -> str:
    """The algorithm and parameters of a hash, without salt and digest."""
    return encoded.rsplit("$", 2)[0]


class Pace:
    """The duration of every refusal in this process."""

    def __init__(self) -> None:
        self.measured: dict[str, float] = {}  # by kind of hash
        self.seconds, self.until = 0.0, 0.0

    def now(self, others: Callable[[int], list[str]]) -> float:
        """Seconds. `others(limit)` returns stored hashes with other parameters than today's; it is called every KEPT
        seconds: one query. Measures each kind of hash once.
        """
        if monotonic() >= self.until:
            today = f"today's {settings.PASSWORD_HASHERS[0]}"
            if today not in self.measured:
                self.measured[today] = seconds_of(hash_of("nobody's"))
            kinds = {kind_of(encoded): encoded for encoded in others(SAMPLED)}
            for kind in kinds.keys() - self.measured.keys():
                self.measured[kind] = seconds_of(kinds[kind])
            self.seconds = ROOM * max(self.measured[kind] for kind in (today, *kinds))
            self.until = monotonic() + KEPT
        return self.seconds


pace = Pace()


@contextmanager
def same_time_for_all(refusal: type[Exception], others: Callable[[int], list[str]]) -> Iterator[None]:
    """Wraps the check of a password. Delays the exception `refusal`; a success and other errors are not delayed."""
    started = monotonic()
    try:
        yield
    except refusal:
        every = pace.now(others)
        sleep(every - (monotonic() - started) % every)
        raise
