"""Makes every refused sign-in take the same time, so that it does not tell who is registered.

Hashes contain their parameters, and those with other parameters (older ones, or imported from another shop) take
another time to check. While such hashes are in use, every refusal takes as long as the slowest kind.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from time import monotonic, sleep

from django.conf import settings
from django.contrib.auth.hashers import verify_password

from bookstore.accounts.passwords import hash_of

MOST_KINDS = 10  # of hashes with other parameters
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
    """What all hashes of the same algorithm and parameters begin with."""
    return encoded.rsplit("$", 2)[0] + "$"


class Pace:
    """The duration of every refusal in this process."""

    def __init__(self) -> None:
        self.measured: dict[str, float] = {}  # by kind of hash
        self.seconds, self.until = 0.0, 0.0

    def now(self, another: Callable[[Iterable[str]], str | None]) -> float:
        """Seconds. `another(kinds)` returns a stored hash that is neither of these kinds nor of today's. It is called
        every KEPT seconds until there is none: a query for each kind, and one. Measures each kind of hash once.
        """
        if monotonic() >= self.until:
            today = f"today's {settings.PASSWORD_HASHERS[0]}"
            if today not in self.measured:
                self.measured[today] = seconds_of(hash_of("nobody's"))
            kinds: dict[str, str] = {}
            for _ in range(MOST_KINDS):
                if (encoded := another(kinds)) is None:
                    break
                kinds[kind_of(encoded)] = encoded
            for kind in kinds.keys() - self.measured.keys():
                self.measured[kind] = seconds_of(kinds[kind])
            self.seconds = ROOM * max(self.measured[kind] for kind in (today, *kinds))
            self.until = monotonic() + KEPT
        return self.seconds


pace = Pace()


@contextmanager
def same_time_for_all(refusal: type[Exception], another: Callable[[Iterable[str]], str | None]) -> Iterator[None]:
    """Wraps the check of a password. Delays the exception `refusal`; a success and other errors are not delayed."""
    started = monotonic()
    try:
        yield
    except refusal:
        every = pace.now(another)
        sleep(every - (monotonic() - started) % every)
        raise
