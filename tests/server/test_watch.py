"""What a worker ends by itself: slow bodies, idle connections in a crowd, itself as an orphan."""

import os
import signal
import socket
import sys
import time
from contextlib import ExitStack, suppress
from threading import Event
from types import ModuleType, SimpleNamespace

import pytest

from bookstore.server import draining, main, sockets, watch
from bookstore.server.admission import Admission, Here
from bookstore.server.bodies import RATE, Reader
from bookstore.server.limits import SERVER_PID
from bookstore.server.slots import Slots
from bookstore.server.sockets import Client as Connection
from tests.support.client import Client, PatientClient
from tests.support.server import Server, environment_for_tests, running_server, serve

linux = pytest.mark.skipif(not sockets.AVAILABLE, reason="connections are looked at on Linux only")

NOW = 1000.0


def admission_with(*here):
    admission = Admission(lambda *_: None, Slots(0), largest_body=1, largest_upload=1, refuse=lambda *_: [])
    admission.here.update(here)
    return admission


def request(address, *, age, reads=False):
    here = Here(address)
    here.since, here.reads = NOW - age, reads
    return here


def connection(number, address="192.0.2.1", *, silent=0.0, unanswered=0.0, received=0):
    return Connection(number, (address, 50_000 + number), silent, unanswered, received)


@pytest.fixture
def late():
    reader = Reader("192.0.2.1")
    reader.began = NOW - 12
    return reader


def test_sender_of_a_late_body_is_a_silent_one_of_its_client(late):
    body = connection(1, silent=0.5, unanswered=12)
    idle = connection(2, silent=40, unanswered=40)
    served = connection(3, silent=3, unanswered=2.9)
    another = connection(4, "192.0.2.7", silent=12, unanswered=12)

    found = watch.senders([body, idle, served, another], late, admission_with(), NOW)

    assert found == [body, idle]


def test_only_connections_that_are_slow_themselves_are_ended():
    """Beside one that drips another of the same address, behind one proxy say, uploads as fast as it may."""
    seen = watch.Watch(admission_with(), 8000)
    before = [connection(1, received=500), connection(2, received=5000), connection(3, received=0)]
    after = [connection(1, received=501), connection(2, received=5000 + 3 * RATE), connection(3, received=0)]

    first = seen.slow_ones(before, NOW)
    too_soon = seen.slow_ones(after, NOW + 1)
    later = seen.slow_ones(after, NOW + 3)

    assert (first, too_soon, later) == ([], [], [after[0], after[2]])


def test_a_late_body_never_ends_a_request_that_is_worked_on(late):
    """Of one address, an office's say: it waits for its answer, and sends nothing meanwhile."""
    body = connection(1, silent=0.5, unanswered=12)
    export = connection(2, silent=15, unanswered=15)
    here = admission_with(request("192.0.2.1", age=15), request("192.0.2.1", age=12, reads=True))

    assert watch.senders([body, export], late, here, NOW) == [body]


def test_the_longest_idle_connections_without_a_request_go_first():
    fresh = connection(1, silent=0.1, unanswered=0.1)
    idle = connection(2, silent=9, unanswered=9)
    idler = connection(3, silent=20, unanswered=20)
    waiting = connection(4, silent=6, unanswered=6)

    found = watch.idle_longest_first([fresh, idle, waiting, idler], admission_with(request("::1", age=6)), NOW)

    assert found == [idler, idle]


@linux
def test_only_connections_of_clients_are_looked_at():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)) as ours:
            accepted, _ = listener.accept()
            with accepted:
                ours.sendall(b"a")
                accepted.recv(1)

                [client] = sockets.clients(port)

                assert (client.descriptor, client.peer) == (accepted.fileno(), ours.getsockname())
                assert (0 <= client.silent < 5, client.received) == (True, 1)
                assert sockets.stop_reading(client)
                assert accepted.recv(1) == b""
                accepted.sendall(b"told")
                assert ours.recv(4) == b"told"
        assert not sockets.stop_reading(client)


def get(port, path):
    with Client(port) as client:
        return client("GET", path).status


@linux
@pytest.mark.slow
@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_slow_uploads_stop_nobody_and_are_408():
    with running_server(workers=1) as port, ExitStack() as open_sockets:
        slow = [
            open_sockets.enter_context(socket.create_connection(("127.0.0.1", port), timeout=20)) for _ in range(200)
        ]
        for sender in slow:
            sender.sendall(
                b"POST /admin/login/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2000000\r\n"
                b"Content-Type: multipart/form-data; boundary=x\r\n\r\n--x"
            )
        served = [get(port, path) for path in ("/books", "/health", "/ready", "/admin/login/") * 3]
        told = {sender.recv(12) for sender in slow}

    assert set(served) == {200}
    assert told == {b"HTTP/1.1 408"}


@linux
@pytest.mark.slow
@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_idle_connections_are_closed_in_a_crowd():
    with running_server(workers=1) as port, ExitStack() as open_sockets:
        idle = [
            open_sockets.enter_context(socket.create_connection(("127.0.0.1", port), timeout=20))
            for _ in range(watch.CROWDED + 50)
        ]
        deadline = time.monotonic() + 60
        closed = 0
        while closed < watch.CROWDED - watch.ROOMY and time.monotonic() < deadline:
            assert get(port, "/health") == 200
            time.sleep(0.5)
            closed = sum(map(is_closed, idle))

    assert closed >= watch.CROWDED - watch.ROOMY


def is_closed(link):
    link.setblocking(False)
    with suppress(BlockingIOError):
        return link.recv(1) == b""
    return False


@pytest.mark.slow
@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_workers_end_and_free_the_port_when_the_parent_is_killed():
    server = Server(serve(), environment_for_tests(LOG_LEVEL="ERROR"))
    try:
        server.wait_until_ready("/health")

        server.process.kill()
        server.process.wait()
        deadline = time.monotonic() + 60
        while answers(server.port) and time.monotonic() < deadline:
            time.sleep(0.1)

        with socket.create_server(("127.0.0.1", server.port)):
            pass  # it is free
    finally:
        server.stop()


class SlowToLoad(ModuleType):
    """bookstore.wsgi, whose import ends when `orphaned` is set."""

    def __init__(self, orphaned):
        super().__init__("bookstore.wsgi")
        self.orphaned = orphaned

    @property
    def application(self):
        self.orphaned.wait(20)
        return "the application"


def test_a_worker_that_still_starts_ends_when_the_parent_is_killed(monkeypatch):
    orphaned, codes = Event(), []
    monkeypatch.setitem(sys.modules, "bookstore.wsgi", SlowToLoad(orphaned))
    monkeypatch.setattr(draining, "listen", lambda: None)
    monkeypatch.setattr(main, "end_by_sigterm_alone", lambda: None)  # signals of this process stay as they are
    monkeypatch.setenv(SERVER_PID, str(os.getppid() + 1))  # it is another process's child by now
    monkeypatch.setattr(os, "_exit", lambda code: (codes.append(code), orphaned.set()))

    main.load("bookstore.wsgi:application")

    assert codes == [1]


def test_an_orphan_that_ignored_sigterm_gets_it_again(monkeypatch):
    told = []

    def kill(pid, number):
        told.append((pid, number))
        if len(told) == 2:
            raise InterruptedError

    monkeypatch.setattr(os, "kill", kill)
    monkeypatch.setattr(watch, "Timer", lambda *_: SimpleNamespace(start=lambda: None))
    monkeypatch.setattr(watch, "EVERY", 0)

    with pytest.raises(InterruptedError):
        watch.end_orphan()

    assert told == [(os.getpid(), signal.SIGTERM)] * 2


def answers(port):
    with PatientClient(port) as client:
        return client("GET", "/health").status == 200
