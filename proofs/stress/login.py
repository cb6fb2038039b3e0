"""The information in the duration of a refused sign-in, and the number of guesses that are checked."""

import itertools
import threading
import time
from collections import Counter
from functools import partial

from proofs.stress.crowd import Crowd, percentile
from proofs.stress.stage import Stage
from tests.support.client import PatientClient

LIMIT = 10
GUESSES, ADDRESSES = 1000, 50
THREADS, WORKERS = 8, "2"
DIFFERENCE = 0.05


def login(stage: Stage) -> None:
    timing(stage)
    guesses(stage, "at one account", "victim@example.com")
    # No account is tried twice: only the count of the address, the one that they do come from, can stop these.
    guesses(stage, "at a different account each", "victim{thread}-{number}@example.com")


def timing(stage: Stage) -> None:
    """Known and unknown emails take the same time: asked in turn, so that what else runs here weighs on both."""
    count = max(100, min(1000, stage.options.rounds))
    with stage.server() as server:
        wire = PatientClient(server.port)
        known = [f"reader{number}@example.com" for number in range(5)]
        for email in known:
            assert wire("POST", "/auth/register", {"email": email, "password": "correct horse battery"}).status == 201
        emails = {
            "known": itertools.cycle(known),
            "unknown": itertools.cycle(f"nobody{n}@example.com" for n in range(5)),
        }
        times: dict[str, list[float]] = {"known": [], "unknown": []}
        statuses: Counter[int] = Counter()
        for number in range(count):
            for kind in sorted(times, reverse=bool(number % 2)):
                body = {"email": next(emails[kind]), "password": "a wrong horse"}
                answer = wire("POST", "/auth/login", body)
                statuses[answer.status] += 1
                times[kind].append(answer.seconds)
    a, b = (percentile(times[kind], 0.5) for kind in ("known", "unknown"))
    difference = abs(a - b) / max(a, b)
    stage.report(
        "login: time of known and unknown emails",
        f"{count} of each: medians {a * 1000:.2f} and {b * 1000:.2f} ms, {difference:.1%} apart",
        difference < DIFFERENCE and set(statuses) == {401},
    )


def guesses(stage: Stage, which: str, emails: str) -> None:
    """Guesses that claim to come from fifty addresses, over two workers."""
    per_thread = GUESSES // THREADS
    seen: Counter[int] = Counter()
    busy: Counter[int] = Counter()
    lock = threading.Lock()
    with stage.server(WORKERS=WORKERS, AUTH_THROTTLE_RATE=f"{LIMIT}/hour") as server:

        def guess(wire: PatientClient, thread: int) -> None:
            for number in range(per_thread):
                address = f"203.0.113.{number % ADDRESSES + 1}"
                body = {"email": emails.format(thread=thread, number=number), "password": f"guess number {number}"}
                headers = {"X-Forwarded-For": address, "X-Real-IP": address, "Forwarded": f"for={address}"}
                answer = wire("POST", "/auth/login", body, **headers)
                while answer.status == 503 and busy[503] < GUESSES:  # nobody looked at it: a guesser tries again
                    with lock:
                        busy[503] += 1
                    time.sleep(0.1)
                    answer = wire("POST", "/auth/login", body, **headers)
                if number % 10 == 0:
                    wire.close()  # the next one may reach another worker
                with lock:
                    seen[answer.status] += 1

        forget_attempts()
        crowd = Crowd(server.port, THREADS)
        crowd.together([partial(guess, thread=thread) for thread in range(THREADS)])
        crowd.close()
    looked_at = seen.total() - seen[429]
    stage.report(
        f"login: guesses {which}, {LIMIT} allowed",
        f"{seen.total()} guesses from {ADDRESSES} claimed addresses: {dict(seen)}, {looked_at} looked at; "
        f"{busy[503]} sent again after a 503",
        looked_at <= LIMIT and set(seen) == {401, 429} and seen.total() == per_thread * THREADS,
    )


def forget_attempts() -> None:
    """What an earlier round counted would stop this one."""
    from bookstore.accounts.models import ThrottleWindow

    ThrottleWindow.objects.all().delete()
