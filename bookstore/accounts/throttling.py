"""The throttle of sign-ins and registrations. docs/decisions/0004-throttle.md has the reasons.

All processes and hosts count exactly, in the table of ThrottleWindow. A window begins with its first attempt and ends
after the rate's period. Refused attempts are not counted.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from math import ceil

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now
from django.http import HttpRequest
from django.utils.crypto import salted_hmac
from rest_framework.request import Request

from bookstore.accounts.emails import normalise_email
from bookstore.accounts.windows import ThrottleWindow
from bookstore.api.errors import ApiError, Throttled
from bookstore.api.forwarded import client_of
from bookstore.database import retrying

logger = logging.getLogger("bookstore.accounts")

# (attempts, seconds); None for no limit.
Rate = tuple[int, int] | None


# Scopes with a rate of their own; `mail` counts the mails that somebody asks for.
SETTINGS = {"register": "REGISTER_THROTTLE_RATE", "mail": "MAIL_THROTTLE_RATE"}


def rate_of(scope: str) -> Rate:
    rate: Rate = getattr(settings, SETTINGS.get(scope, "AUTH_THROTTLE_RATE"))
    return rate


@dataclass
class Attempt:
    """An attempt within the limits. Its headers tell the client how many are left."""

    address: str = ""  # the key of the address's window
    headers: dict[str, str] = field(default_factory=dict)

    @contextmanager
    def told(self) -> Iterator[None]:
        """Adds the headers to a refusal, too."""
        try:
            yield
        except ApiError as refusal:
            refusal.headers = {**refusal.headers, **self.headers}
            raise

    def succeeded(self) -> None:
        """Does not count the attempt for the address: many successful sign-ins from one office are not an attack. One
        query."""
        if self.address:
            uncount(self.address)


@retrying
def count_attempt(request: Request | HttpRequest, scope: str, account: str) -> Attempt:
    """Counts one attempt by this client on this account. `scope` is `register`, `login`, `mail` or `password`.

    Raises Throttled when either has used up its window; the attempt is counted for neither then. Three queries and a
    transaction; a few more when a window begins.
    """
    rate = rate_of(scope)
    if rate is None:
        return Attempt()
    limit, seconds = rate
    of_account = key_of(scope, "account", normalise_email(account))
    of_address = key_of(scope, "address", client_of(request))
    with transaction.atomic():
        # Lock order: always the account first, so that attempts never deadlock.
        for key in (of_account, of_address):
            wait = count(key, limit, seconds)
            if wait:
                raise Throttled(wait, headers=limit_headers(scope, rate, 0, wait))
        windows = ThrottleWindow.objects.filter(pk__in=[of_account, of_address]).with_time_left()
        used, left = max(windows.counts())
    remaining = max(limit - used, 0)
    return Attempt(of_address, limit_headers(scope, rate, remaining, max(ceil(left.total_seconds()), 1)))


def note_refused(request: Request | HttpRequest, account: str, where: str) -> None:
    """Logs a refused sign-in with hashes of account and address, which group attempts without personal data."""
    hashes = [
        key_of("log", kind, who)[:12] for kind, who in (("a", normalise_email(account)), ("b", client_of(request)))
    ]
    logger.warning("Sign-in refused (%s): account %s, address %s", where, *hashes)


def limit_headers(scope: str, rate: tuple[int, int], remaining: int, seconds: int) -> dict[str, str]:
    """Headers by draft-ietf-httpapi-ratelimit-headers, of the window with fewer attempts left."""
    limit, period = rate
    return {
        "RateLimit-Policy": f'"{scope}";q={limit};w={period}',
        "RateLimit": f'"{scope}";r={remaining};t={seconds}',
    }


def key_of(scope: str, kind: str, counted: str) -> str:
    """The key of a window: an HMAC, so that no address and no email is stored."""
    return salted_hmac("bookstore.accounts.throttling", f"{scope} {kind} {counted}", algorithm="sha256").hexdigest()


def count(key: str, limit: int, seconds: int) -> int:
    """Counts an attempt and returns 0; at the limit returns the seconds until the window ends.

    Each guarded UPDATE is atomic, so the count is exact inside and outside a transaction. A concurrent first attempt of
    the same window is not refused.
    """
    window = ThrottleWindow.objects.filter(pk=key)
    end = Now() + timedelta(seconds=seconds)
    while True:
        if window.filter(expires_at__gt=Now(), count__lt=limit).update(count=F("count") + 1):
            return 0
        found = window.with_time_left().counts()
        if not found:
            # Of two concurrent first attempts one inserts the row; both then count in it.
            ThrottleWindow.objects.bulk_create(
                [ThrottleWindow(key=key, count=0, expires_at=end)], ignore_conflicts=True
            )
            continue
        [(used, left)] = found
        if left <= timedelta():
            if window.expired().update(count=1, expires_at=end):
                return 0
        elif used >= limit:
            return ceil(left.total_seconds())


def uncount(key: str) -> None:
    """Takes one attempt back. One query."""
    ThrottleWindow.objects.filter(pk=key, count__gt=0).update(count=F("count") - 1)
