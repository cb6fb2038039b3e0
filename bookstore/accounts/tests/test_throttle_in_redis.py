"""The same count in Redis, where CACHE_URL names one; and what happens when it is away.

The tests that need a server start their own; without `redis-server` on PATH they are skipped.
"""

import shutil
import socket
import subprocess
import threading
import time

import pytest
from redis import Redis, RedisError

from bookstore.accounts.models import ThrottleWindow
from bookstore.accounts.throttling import count
from bookstore.accounts.throttling_in_redis import count_in_redis

pytestmark = pytest.mark.django_db

KEY = "a" * 64


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="module")
def server():
    binary = shutil.which("redis-server")
    if binary is None:
        pytest.skip("needs redis-server on PATH")
    port = free_port()
    options = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    process = subprocess.Popen([binary, *options], stdout=subprocess.DEVNULL)
    client = Redis(port=port)
    for _ in range(100):
        try:
            client.ping()
            break
        except RedisError:
            time.sleep(0.05)
    yield client, f"redis://127.0.0.1:{port}/0"
    client.close()
    process.terminate()
    process.wait()


@pytest.fixture
def redis(server, settings):
    client, settings.CACHE_URL = server
    client.flushall()
    return client


@pytest.fixture
def redis_away(settings):
    settings.CACHE_URL = f"redis://127.0.0.1:{free_port()}/0"


def test_redis_lets_the_limit_through_and_then_says_how_long(redis):
    answers = [count(KEY, 3, 60) for _ in range(5)]

    assert answers[:3] == [0, 0, 0]
    assert all(55 <= wait <= 60 for wait in answers[3:])
    assert not ThrottleWindow.objects.exists()


def test_redis_window_begins_anew_when_it_is_over(redis):
    assert [bool(count(KEY, 1, 1)) for _ in range(2)] == [False, True]

    time.sleep(1.1)

    assert count(KEY, 1, 1) == 0


def test_redis_keeps_no_count_without_an_end(redis):
    count(KEY, 3, 60)

    assert [0 < redis.pttl(name) <= 60_000 for name in redis.scan_iter()] == [True]


@pytest.mark.slow
def test_redis_lets_exactly_the_limit_through_to_sixteen_threads(redis):
    let_through, start = [], threading.Barrier(16)

    def run() -> None:
        start.wait()
        let_through.append(sum(count_in_redis(KEY, 10, 60) == 0 for _ in range(25)))

    threads = [threading.Thread(target=run) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sum(let_through) == 10


def test_with_redis_away_the_database_counts(redis_away, caplog):
    answers = [bool(count(KEY, 3, 60)) for _ in range(4)]

    assert answers == [False, False, False, True]
    assert ThrottleWindow.objects.get().count == 3
    assert {record.getMessage() for record in caplog.records} == {
        "Redis is away (ConnectionError): the database counts attempts meanwhile"
    }


def test_with_redis_away_sign_in_works(redis_away, api, alice, settings):
    settings.AUTH_THROTTLE_RATE = (3, 60)

    response = api.post("/auth/login", {"email": "alice@example.com", "password": "correct horse battery"})

    assert response.status_code == 200
