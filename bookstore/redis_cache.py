"""Django's cache in Redis, for what can be had without it: with Redis away nothing is found and nothing is kept."""

import logging
from typing import Any

from django.core.cache.backends.redis import RedisCache
from redis import RedisError

logger = logging.getLogger("bookstore.cache")


class OptionalRedisCache(RedisCache):
    """`get` and `set` only: whatever else is asked of a Redis that is away raises, as Django's does."""

    def get(self, key: Any, default: Any = None, version: int | None = None) -> Any:
        try:
            return super().get(key, default, version)
        except RedisError as error:
            logger.warning("Redis is away (%s): what it keeps is made anew", type(error).__name__)
            return default

    def set(self, key: Any, value: Any, *args: Any, **options: Any) -> None:
        try:
            super().set(key, value, *args, **options)
        except RedisError as error:
            logger.warning("Redis is away (%s): nothing is kept in it", type(error).__name__)
