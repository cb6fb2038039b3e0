"""`manage.py serve --drain`: after SIGTERM `/ready` is 503 while requests are served, and then the server ends."""

import os
import re
import signal
import sys
import time
from pathlib import Path

import pytest

from bookstore.server import draining
from tests.support.client import Client
from tests.support.processes import children_of
from tests.support.server import START_SECONDS, Server, environment_for_tests, serve


@pytest.fixture
def in_a_worker(monkeypatch):
    """A worker's main thread, that has begun to listen."""
    handler = signal.getsignal(draining.TOLD_BY)
    draining.listen()
    yield
    signal.signal(draining.TOLD_BY, handler)
    draining._begun.clear()


def test_get_ready_is_503_when_the_server_is_about_to_end(client, db, in_a_worker):
    before = client.get("/ready")
    signal.raise_signal(draining.TOLD_BY)

    response = client.get("/ready")

    assert before.status_code == 200
    assert response.status_code == 503
    assert response.json() == {"detail": "This host is about to stop.", "code": "SERVICE_UNAVAILABLE"}


def test_a_worker_that_is_started_while_the_server_drains_knows_it(monkeypatch):
    monkeypatch.setenv(draining.VARIABLE, "1")
    handler = signal.getsignal(draining.TOLD_BY)

    draining.listen()

    assert draining.begun()
    signal.signal(draining.TOLD_BY, handler)
    draining._begun.clear()


@pytest.fixture
def draining_server(transactional_db):
    """The process and the port of a server that is to drain for three seconds.

    One worker: two hear of it by a signal each, on a busy machine one seconds after the other.
    """
    server = Server(serve("--drain", "3", workers=1), environment_for_tests(STOP_TIMEOUT="30", LOG_LEVEL="ERROR"))
    try:
        server.wait_until_ready()
        yield server.process, server.port
    finally:
        server.stop()


@pytest.mark.slow
@pytest.mark.postgres
def test_sigterm_makes_the_server_unready_then_ends_it(draining_server):
    process, port = draining_server

    process.send_signal(signal.SIGTERM)
    ready, served = [], []
    while True:
        try:
            with Client(port) as client:
                ready.append(client("GET", "/ready").status)
                served.append(client("GET", "/genres").status)
        except OSError:
            break
        time.sleep(0.2)
    code = process.wait(60)

    assert code == 0
    assert set(ready[ready.index(503) :]) == {503}
    assert set(served) == {200}


@pytest.mark.slow
@pytest.mark.postgres
def test_a_second_sigterm_ends_the_server_without_waiting(draining_server):
    process, port = draining_server

    process.send_signal(signal.SIGTERM)
    while not unready(port):
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)

    assert process.wait(60) == 0


@pytest.mark.slow
@pytest.mark.postgres
@pytest.mark.skipif(sys.platform != "linux", reason="/proc says which signals a process blocks")
def test_ctrl_c_ends_the_main_process_alone(transactional_db):
    """A terminal sends it to every process: a worker that also got it often had to be killed, after LAST_REQUESTS."""
    server = Server(serve(), environment_for_tests(TASK_WORKERS="1", LOG_LEVEL="WARNING"), keep_output=True)
    try:
        server.wait_until_ready()
        blocked = []
        while len(blocked) < 3 or not all(blocked):  # one worker may still load
            assert time.perf_counter() - server.begun < START_SECONDS, blocked
            blocked = [blocks_sigint(pid) for pid in children_of(server.process.pid)]  # two workers, and the tasks
        main_blocks = blocks_sigint(server.process.pid)
        os.killpg(server.process.pid, signal.SIGINT)
        code = server.process.wait(60)
        said = server.said()
    finally:
        server.stop()

    assert not main_blocks
    assert code == 0
    assert "Traceback" not in said


def blocks_sigint(pid):
    [mask] = re.findall(r"^SigBlk:\s*(\w+)", Path(f"/proc/{pid}/status").read_text(), re.M)
    return bool(int(mask, 16) >> (signal.SIGINT - 1) & 1)


def unready(port):
    with Client(port) as client:
        return client("GET", "/ready").status == 503
