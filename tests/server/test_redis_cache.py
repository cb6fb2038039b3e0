"""What is kept in Redis can be had without it."""

import subprocess
import sys

import pytest
from django.core.cache import caches

from tests.support.server import ROOT, free_port


@pytest.fixture
def cache_without_redis(settings):
    settings.CACHES = {
        "default": {
            "BACKEND": "bookstore.redis_cache.OptionalRedisCache",
            "LOCATION": f"redis://127.0.0.1:{free_port()}/0",
            "OPTIONS": {"socket_timeout": 0.5, "socket_connect_timeout": 0.5},
        }
    }
    yield caches["default"]
    caches.close_all()


def test_redis_that_is_away_finds_nothing_and_keeps_nothing(cache_without_redis, caplog):
    cache_without_redis.set("books", 208, 60)

    assert cache_without_redis.get("books", "made anew") == "made anew"
    assert [record.message for record in caplog.records] == [
        "Redis is away (ConnectionError): nothing is kept in it",
        "Redis is away (ConnectionError): what it keeps is made anew",
    ]


def test_settings_with_a_redis_use_it():
    code = (
        "import os, django; os.environ['DJANGO_SETTINGS_MODULE'] = 'bookstore.settings'; django.setup()\n"
        "from django.core.cache import cache; print(type(cache._connections['default']).__name__, cache.get('x'))"
    )
    environ = {"DEBUG": "1", "CACHE_URL": f"redis://127.0.0.1:{free_port()}/0", "LOG_LEVEL": "ERROR"}

    said = subprocess.run(  # our own code
        [sys.executable, "-c", code], cwd=ROOT, env=environ, capture_output=True, text=True, check=True
    )

    assert said.stdout == "OptionalRedisCache None\n"
