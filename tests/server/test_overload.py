"""Who waits in line, and who is told that there is no use."""

import contextlib
import io
import json
import threading
import time

import pytest
from django.db import DEFAULT_DB_ALIAS, connections
from django.http import HttpResponse, StreamingHttpResponse

from bookstore.accounts.models import User
from bookstore.server.overload import InLine, Line, TooBusy
from tests.support.server import Client, running_server


class Reply:
    status = ""

    def __call__(self, status, headers):
        self.status, self.headers = status, dict(headers)


def in_line(application, *, places=1, patience=0.05, largest=10):
    return InLine(application, Line(places, patience=patience, largest=largest), largest_body=100, refuse=busy)


def busy(environ, start_response, begun, error=None):
    if error:
        start_response(f"{error.status_code} Internal Server Error", [])
        return [b"failed"]
    start_response("503 Service Unavailable", [("Retry-After", "1")])
    return [b"busy"]


def test_a_request_has_a_connection_of_its_own_and_leaves_it():
    seen = []

    def application(environ, start_response):
        seen.append(connections[DEFAULT_DB_ALIAS])
        return HttpResponse(b"here")

    before = connections[DEFAULT_DB_ALIAS]
    threads = [threading.Thread(target=in_line(application), args=({}, Reply())) for _ in range(1)]
    for thread in threads:
        thread.start()
        thread.join()

    assert len(seen) == 1
    assert seen[0] is not before
    assert connections[DEFAULT_DB_ALIAS] is before


def test_who_has_waited_long_enough_is_told_503():
    entered, leave = threading.Event(), threading.Event()

    def application(environ, start_response):
        entered.set()
        leave.wait(5)
        return HttpResponse()

    line = in_line(application)
    first = threading.Thread(target=line, args=({}, Reply()))
    first.start()
    entered.wait(5)
    reply = Reply()

    body = line({"REQUEST_METHOD": "GET"}, reply)
    leave.set()
    first.join()

    assert (reply.status, reply.headers, body) == ("503 Service Unavailable", {"Retry-After": "1"}, [b"busy"])


def test_places_are_given_first_come_first_served():
    line = Line(1, patience=10)
    order: list[str] = []
    held = line.take()

    def stand(name: str) -> None:
        connection = line.take()
        order.append(name)
        line.give_back(connection)

    threads = []
    for count, name in enumerate(("Alice", "Bob", "Carol"), start=1):
        threads.append(threading.Thread(target=stand, args=(name,)))
        threads[-1].start()
        while len(line._waiting) < count:
            time.sleep(0.001)
    line.give_back(held)
    for thread in threads:
        thread.join(5)

    assert order == ["Alice", "Bob", "Carol"]
    assert line.free == [held]


class Visitor(threading.Thread):
    """One who takes a place and keeps it until told to leave."""

    def __init__(self, line, *, changes=False):
        super().__init__(daemon=True)
        self.line, self.changes = line, changes
        self.connection = None
        self.served, self.leaves = threading.Event(), threading.Event()

    def run(self):
        with contextlib.suppress(TooBusy):
            self.connection = self.line.take(changes=self.changes)
        self.served.set()
        if self.connection:
            self.leaves.wait(5)
            self.line.give_back(self.connection)

    def enter(self):
        """Starts, and waits for the place or the refusal."""
        self.start()
        self.served.wait(5)
        return self

    def leave(self):
        self.leaves.set()
        self.join(5)


def test_a_change_has_places_beside_those_of_anybody():
    line = Line(1, for_changes=1, patience=0.01)
    reader, writer = Visitor(line).enter(), Visitor(line, changes=True).enter()

    second_reader, second_writer = Visitor(line).enter(), Visitor(line, changes=True).enter()

    assert reader.connection is not writer.connection
    assert (second_reader.connection, second_writer.connection) == (None, None)
    assert (line.taken, line.waiting) == (2, 0)
    for visitor in (reader, writer):
        visitor.leave()
    assert line.taken == 0


def test_a_change_takes_a_place_of_anybody_when_its_own_is_taken():
    line = Line(1, for_changes=1, patience=0.01)
    reader = Visitor(line).enter()
    reader.leave()

    writers = [Visitor(line, changes=True).enter() for _ in range(2)]

    assert writers[0].connection is not reader.connection
    assert writers[1].connection is reader.connection
    for writer in writers:
        writer.leave()
    assert line.free == [writers[1].connection]
    assert line.free_for_changes == [writers[0].connection]


def test_a_place_for_changes_goes_past_who_reads_to_the_first_who_changes():
    line = Line(1, for_changes=1, patience=5)
    reader, writer = Visitor(line).enter(), Visitor(line, changes=True).enter()
    waiting = [Visitor(line), Visitor(line, changes=True)]
    for count, visitor in enumerate(waiting, start=1):
        visitor.start()
        while line.waiting < count:
            time.sleep(0.001)

    writer.leave()
    waiting[1].served.wait(5)

    assert waiting[1].connection is writer.connection
    assert not waiting[0].served.is_set()
    for visitor in (reader, waiting[1], waiting[0]):
        visitor.leave()
    assert waiting[0].connection is reader.connection


def test_health_does_not_wait():
    line = in_line(lambda environ, start_response: HttpResponse(b"ok"), places=0)

    assert line({"PATH_INFO": "/health"}, Reply()).content == b"ok"


def test_a_line_that_is_full_is_told_at_once():
    line = Line(1, patience=60, largest=1)

    with line, pytest.raises(TooBusy), line:
        pass

    with line:
        pass  # whoever left made room


def test_a_body_is_read_before_a_place_is_taken():
    line = in_line(lambda environ, start_response: HttpResponse(environ["wsgi.input"].read()))
    taken_while_reading = []

    class Slow(io.BytesIO):
        def read(self, size):
            taken_while_reading.append(len(line.line.free))
            return super().read(size)

    body = line({"CONTENT_LENGTH": "4", "wsgi.input": Slow(b"book")}, Reply())

    assert taken_while_reading == [1]
    assert body == [b"book"]


@pytest.mark.parametrize("length", ["", "0", "101", "x", "-1"])
def test_a_body_that_is_none_or_too_large_is_not_read_in_line(length):
    untouched = io.BytesIO(b"book")
    environ = {"CONTENT_LENGTH": length, "wsgi.input": untouched}

    in_line(lambda environ, start_response: HttpResponse())(environ, Reply())

    assert environ["wsgi.input"] is untouched


def test_a_place_is_given_back_after_a_failure():
    def application(environ, start_response):
        raise RuntimeError

    line = in_line(application)

    bodies = [line({}, Reply()) for _ in range(3)]

    assert bodies == [[b"failed"]] * 3
    assert len(line.line.free) == 1


def test_health_that_fails_is_told_too():
    def application(environ, start_response):
        raise RuntimeError

    reply = Reply()

    body = in_line(application)({"PATH_INFO": "/health"}, reply)

    assert (reply.status, body) == ("500 Internal Server Error", [b"failed"])


def test_a_stream_is_handed_on():
    line = in_line(lambda environ, start_response: StreamingHttpResponse([b"a", b"b"]))

    assert b"".join(line({}, Reply())) == b"ab"


@pytest.mark.parametrize("length", ["", "2", "999"])
@pytest.mark.parametrize(
    ("sent", "read"), [(b"", b""), (b"book", b"book"), (b"b" * 100, b"b" * 100), (b"b" * 500, b"b" * 101)]
)
def test_a_body_in_chunks_is_read_as_far_as_it_may_be_long(sent, read, length):
    """And a byte more, by which Django sees that it is too long."""
    environ = {"HTTP_TRANSFER_ENCODING": "chunked", "CONTENT_LENGTH": length, "wsgi.input": io.BytesIO(sent)}
    line = in_line(lambda environ, start_response: HttpResponse(environ["wsgi.input"].read()))

    assert line(environ, Reply()) == [read]
    assert environ["CONTENT_LENGTH"] == str(len(read))


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_a_body_in_chunks_is_served_like_any_other():
    """Over the real server: without a Content-Length Django would take it for empty."""
    good = json.dumps({"email": "alice@example.com", "password": "correct horse battery"}).encode()
    answers = []

    with running_server(workers=1) as port:
        for body in (good, b" " * 1_000_001):
            with Client(port) as client:
                pieces = (body[at : at + 60_000] for at in range(0, len(body), 60_000))
                client.connection.request("POST", "/auth/register", pieces, client.headers, encode_chunked=True)
                response = client.connection.getresponse()
                answers.append((response.status, json.load(response).get("code")))

    assert answers == [(201, None), (413, "CONTENT_TOO_LARGE")]
    assert User.objects.get().email == "alice@example.com"
