"""The count of attempts in Redis, for who runs one: quicker than the database, and no writes there."""

from functools import cache
from math import ceil

from django.conf import settings
from redis import Redis, RedisError

__all__ = ["RedisError", "count_in_redis"]

TIMEOUT = 0.5  # seconds: Redis answers within a thousandth, or is away


def count_in_redis(key: str, limit: int, seconds: int) -> int:
    """As `count_in_database`. One transaction of Redis, so that no count can be left without its end.

    Raises RedisError.
    """
    name = f"bookstore:throttle:{key}"
    with client(settings.CACHE_URL).pipeline(transaction=True) as pipeline:
        pipeline.set(name, 0, px=seconds * 1000, nx=True)
        pipeline.incr(name)
        pipeline.pttl(name)
        _, attempts, left = pipeline.execute()
    return 0 if attempts <= limit else max(1, ceil(left / 1000))


@cache
def client(url: str) -> Redis:
    """One pool of connections for the process."""
    return Redis.from_url(url, socket_timeout=TIMEOUT, socket_connect_timeout=TIMEOUT)
