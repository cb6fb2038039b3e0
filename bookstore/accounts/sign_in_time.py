"""How long a refused sign-in takes: as long as any other, so that its time does not tell who is registered.

A hash carries its parameters, and those of today take another time than those of earlier days, or of the shop that
users were brought from. While such hashes are in use, every refusal is as slow as the slowest of them.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic, sleep

from django.conf import settings
from django.contrib.auth.hashers import verify_password

from bookstore.accounts.passwords import hash_of

SAMPLED = 200  # hashes of other parameters that are looked at
KEPT = 30  # seconds for which a process remembers which there are
ROOM = 1.25  # of the slowest hash's time: hides the jitter of the others, and the queries around them


def seconds_of(encoded: str) -> float:
    """How long it takes to look at a password that is not the one of this hash: the shortest of three."""
    times = []
    for _ in range(3):
        started = monotonic()
        verify_password("nobody's password", encoded)
        times.append(monotonic() - started)
    return min(times)


def kind_of(encoded: str) -> str:
    """Its algorithm and parameters: all but the salt and the hash."""
    return encoded.rsplit("$", 2)[0]


class Pace:
    """The seconds that every refusal takes, or a multiple of them. One for the process."""

    def __init__(self) -> None:
        self.measured: dict[str, float] = {}  # by kind of hash
        self.seconds, self.until = 0.0, 0.0

    def now(self, others: Callable[[int], list[str]]) -> float:
        """`others(limit)` answers with hashes in use that have other parameters than today's. It is asked every KEPT
        seconds: one query. Each kind of hash is measured once.
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
    """Around the look at a password. Delays the exception `refusal`; what succeeds, or fails otherwise, is at once."""
    started = monotonic()
    try:
        yield
    except refusal:
        every = pace.now(others)
        sleep(every - (monotonic() - started) % every)
        raise
