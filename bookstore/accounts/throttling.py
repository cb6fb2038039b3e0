"""How often may somebody try to register or to sign in? `AUTH_THROTTLE_RATE`, for each client address and each account.

One exact count for all processes and hosts: in the table of ThrottleWindow, or in Redis where CACHE_URL names one. A
window begins with its first attempt, and is over after the rate's period.
"""

import logging
import re
from datetime import timedelta
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from math import ceil

from django.conf import settings
from django.db.models import F
from django.db.models.functions import Now
from django.http import HttpRequest
from django.utils.crypto import salted_hmac
from rest_framework.request import Request

from bookstore.accounts.emails import normalise_email
from bookstore.accounts.models import ThrottleWindow
from bookstore.api.errors import Throttled

logger = logging.getLogger("bookstore.throttling")

# An address with a client behind it has a /64 of IPv6 to itself, and would else be counted as 2**64 clients.
CLIENT_PREFIX = 64
# IPv6 in brackets, with or without a port; or IPv4 with one.
HOP = re.compile(r"\[([0-9A-Fa-f:.]+)\](?::[0-9]{1,5})?|([0-9.]+):[0-9]{1,5}", re.ASCII)


def count_attempt(request: Request, scope: str, account: str) -> None:
    """Counts one attempt by this client on this account. `scope` is `register` or `login`.

    Raises Throttled when either has used up its window; that attempt is not counted. One query for each of the two, or
    one round trip to Redis; a few more when a window begins.
    """
    if settings.AUTH_THROTTLE_RATE is None:
        return
    limit, seconds = settings.AUTH_THROTTLE_RATE
    for kind, counted in (("address", client_of(request)), ("account", normalise_email(account))):
        wait = count(key_of(scope, kind, counted), limit, seconds)
        if wait:
            raise Throttled(wait)


def key_of(scope: str, kind: str, counted: str) -> str:
    """An HMAC: what is stored tells nobody an address or an email."""
    return salted_hmac("bookstore.accounts.throttling", f"{scope} {kind} {counted}", algorithm="sha256").hexdigest()


def count(key: str, limit: int, seconds: int) -> int:
    """0 when the attempt was let through, and counted; else the seconds until the window is over.

    With Redis away the database counts: never does nobody count, and never is nobody let in.
    """
    if settings.CACHE_URL:
        # Here and not above: who has no Redis should not pay for its client.
        from bookstore.accounts.throttling_in_redis import RedisError, count_in_redis

        try:
            return count_in_redis(key, limit, seconds)
        except RedisError as error:
            logger.warning("Redis is away (%s): the database counts attempts meanwhile", type(error).__name__)
    return count_in_database(key, limit, seconds)


def count_in_database(key: str, limit: int, seconds: int) -> int:
    """By guarded statements, each atomic by itself: needs no transaction, and is exact in one as well."""
    window = ThrottleWindow.objects.filter(pk=key)
    end = Now() + timedelta(seconds=seconds)
    while True:
        if window.filter(expires_at__gt=Now(), count__lt=limit).update(count=F("count") + 1):
            return 0
        left: timedelta | None = window.with_time_left().values_list("left", flat=True).first()  # type: ignore[misc]
        if left is None:
            # Of two first attempts one makes the row; the count is then taken as ever.
            ThrottleWindow.objects.bulk_create(
                [ThrottleWindow(key=key, count=0, expires_at=end)], ignore_conflicts=True
            )
        elif left > timedelta():
            return ceil(left.total_seconds())
        elif window.expired().update(count=1, expires_at=end):
            return 0


def client_of(request: Request | HttpRequest) -> str:
    """The address that attempts are counted under; an IPv6 client is its /64.

    It is the peer's, unless the peer is one of TRUSTED_PROXIES: then it is the right-most of X-Forwarded-For that is
    none of them. What stands left of that was written by the client, who may write anything.
    """
    peer = request.META.get("REMOTE_ADDR", "")
    address = address_of(peer)
    if address is None:
        return str(peer)
    client = address
    if trusted(client):
        for hop in reversed(request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")):
            named = address_of(without_port(hop.strip()))
            if named is None:
                client = address
                break
            client = named
            if not trusted(client):
                break
    if isinstance(client, IPv6Address):
        return str(IPv6Network((int(client), CLIENT_PREFIX), strict=False))
    return str(client)


def without_port(hop: str) -> str:
    """Some proxies (Azure's, IIS) add the client's port: `192.0.2.1:4711`, `[2001:db8::1]:4711`. Else as it is."""
    with_port = HOP.fullmatch(hop)
    return with_port[1] or with_port[2] if with_port else hop


def address_of(text: str) -> IPv4Address | IPv6Address | None:
    """None for what is no address. An IPv4 address may come in the clothes of IPv6 (`::ffff:192.0.2.1`)."""
    try:
        address = ip_address(text.strip())
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def trusted(address: IPv4Address | IPv6Address) -> bool:
    return any(address in network for network in settings.TRUSTED_PROXIES)
