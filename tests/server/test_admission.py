"""The checks of a request before Django, in the application that the server calls."""

import io
import json
import threading

import pytest
from django.db import DEFAULT_DB_ALIAS, connections
from django.http import HttpResponse, StreamingHttpResponse

from bookstore.accounts.models import User
from bookstore.server.admission import Admission
from bookstore.server.slots import Slots
from tests.support.client import Client
from tests.support.server import running_server


class Reply:
    status = ""

    def __call__(self, status, headers):
        self.status, self.headers = status, dict(headers)


def admit(application, *, shared=1, patience=0.05, largest=10):
    slots = Slots(shared, for_staff=1, patience=patience, largest=largest)
    return Admission(application, slots, largest_body=100, largest_upload=200, refuse=busy)


def busy(environ, start_response, begun, error=None):
    if error:
        start_response(f"{error.status_code} {error.code}", [])
        return [b"refused"]
    start_response("503 Service Unavailable", [("Retry-After", "1")])
    return [b"busy"]


def echo(environ, start_response):
    return HttpResponse(environ["wsgi.input"].read())


def test_a_request_has_a_connection_of_its_own_and_leaves_it():
    seen = []

    def application(environ, start_response):
        seen.append(connections[DEFAULT_DB_ALIAS])
        return HttpResponse(b"here")

    before = connections[DEFAULT_DB_ALIAS]
    thread = threading.Thread(target=admit(application), args=({}, Reply()))
    thread.start()
    thread.join()

    assert len(seen) == 1
    assert seen[0] is not before
    assert connections[DEFAULT_DB_ALIAS] is before


def test_a_request_that_has_queued_long_enough_is_503():
    entered, leave = threading.Event(), threading.Event()

    def application(environ, start_response):
        entered.set()
        leave.wait(5)
        return HttpResponse()

    admission = admit(application)
    first = threading.Thread(target=admission, args=({"REQUEST_METHOD": "GET"}, Reply()))
    first.start()
    entered.wait(5)
    reply = Reply()

    body = admission({"REQUEST_METHOD": "GET"}, reply)
    leave.set()
    first.join()

    assert (reply.status, reply.headers, body) == ("503 Service Unavailable", {"Retry-After": "1"}, [b"busy"])


def test_health_does_not_queue():
    admission = admit(lambda environ, start_response: HttpResponse(b"ok"), shared=0)

    assert admission({"PATH_INFO": "/health"}, Reply()).content == b"ok"


def test_a_body_is_read_before_a_slot_is_taken():
    admission = admit(echo)
    taken_while_reading = []

    class Slow(io.BytesIO):
        def read(self, size):
            taken_while_reading.append(admission.slots.taken)
            return super().read(size)

    body = admission({"CONTENT_LENGTH": "4", "wsgi.input": Slow(b"book")}, Reply())

    assert taken_while_reading == [0]
    assert body == [b"book"]


def test_an_upload_of_staff_is_read_before_a_slot_is_taken():
    """It may be longer than what the API takes."""
    sent = io.BytesIO(b"b" * 150)
    environ = {"PATH_INFO": "/admin/login/", "CONTENT_LENGTH": "150", "wsgi.input": sent}

    assert admit(echo)(environ, Reply()) == [b"b" * 150]
    assert environ["wsgi.input"] is not sent


def test_an_upload_of_staff_that_is_too_large_is_413():
    reply = Reply()
    environ = {"PATH_INFO": "/admin/login/", "CONTENT_LENGTH": "201", "wsgi.input": io.BytesIO(b"b" * 201)}

    assert admit(echo)(environ, reply) == [b"refused"]
    assert reply.status == "413 CONTENT_TOO_LARGE"


@pytest.mark.parametrize("length", ["", "0", "x", "-1", "9" * 40])
def test_a_length_that_is_none_is_left_to_django(length):
    untouched = io.BytesIO(b"book")
    environ = {"CONTENT_LENGTH": length, "wsgi.input": untouched}

    admit(lambda environ, start_response: HttpResponse())(environ, Reply())

    assert environ["wsgi.input"] is untouched


@pytest.mark.parametrize("expects", [{}, {"HTTP_EXPECT": "100-continue"}])
def test_a_body_that_is_too_large_is_thrown_away_for_django_to_refuse(expects):
    """It is read, unless the client waits to be told to send it: one that cannot send never sees the answer."""
    sent = io.BytesIO(b"b" * 150)
    environ = {"CONTENT_LENGTH": "150", "wsgi.input": sent} | expects

    body = admit(echo)(environ, Reply())

    assert body == [b""]
    assert environ["CONTENT_LENGTH"] == "150"
    assert sent.tell() == (0 if expects else 150)


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ({"CONTENT_TYPE": "a;" + ";" * 254}, ""),
        ({"CONTENT_TYPE": "a;" + ";" * 255}, "431 HEADERS_TOO_LARGE"),
        ({"HTTP_ACCEPT": "a/b," * 2047}, ""),
        ({"HTTP_ACCEPT": "a/b," * 2048}, "431 HEADERS_TOO_LARGE"),
        ({"PATH_INFO": "/books", "QUERY_STRING": "q" * 8184}, ""),
        ({"PATH_INFO": "/books", "QUERY_STRING": "q" * 8185}, "414 URI_TOO_LONG"),
        ({"PATH_INFO": "/health", "CONTENT_TYPE": ";" * 257}, "431 HEADERS_TOO_LARGE"),
    ],
)
def test_headers_and_targets_are_bounded(sent, status):
    reply = Reply()

    admit(lambda environ, start_response: HttpResponse())({"REQUEST_METHOD": "GET"} | sent, reply)

    assert reply.status == status


def test_a_slot_is_given_back_after_a_failure():
    def application(environ, start_response):
        raise RuntimeError

    admission = admit(application)

    bodies = [admission({}, Reply()) for _ in range(3)]

    assert bodies == [[b"refused"]] * 3
    assert admission.slots.taken == 0
    assert admission.here == set()


def test_health_that_fails_is_told_too():
    def application(environ, start_response):
        raise RuntimeError

    reply = Reply()

    body = admit(application)({"PATH_INFO": "/health"}, reply)

    assert (reply.status, body) == ("500 INTERNAL_ERROR", [b"refused"])


def test_a_full_temporary_folder_is_503(monkeypatch, caplog):
    def full(self, *arguments, **options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("bookstore.server.bodies.Bodies.read", full)

    assert admit(echo)({"CONTENT_LENGTH": "4"}, Reply()) == [b"busy"]
    assert "TMPDIR has no space for a body (No space left on device): its request gets 503" in caplog.text


def test_a_stream_gives_its_slot_back_between_two_pieces():
    taken = []
    admission = admit(lambda environ, start_response: StreamingHttpResponse(pieces()))

    def pieces():
        for piece in (b"a", b"b"):
            taken.append(admission.slots.taken)
            yield piece

    answer = admission({"REQUEST_METHOD": "GET"}, Reply())
    between = []
    content = b""
    for piece in answer:
        between.append(admission.slots.taken)
        content += piece
    answer.close()

    assert (content, taken, between) == (b"ab", [1, 1], [0, 0])
    assert admission.slots.taken == 0


@pytest.mark.parametrize("length", ["", "2", "999"])
@pytest.mark.parametrize(
    ("sent", "read"), [(b"", b""), (b"book", b"book"), (b"b" * 100, b"b" * 100), (b"b" * 500, b"b" * 101)]
)
def test_a_body_in_chunks_is_read_as_far_as_it_may_be_long(sent, read, length):
    """And a byte more, by which Django sees that it is too long."""
    environ = {"HTTP_TRANSFER_ENCODING": "chunked", "CONTENT_LENGTH": length, "wsgi.input": io.BytesIO(sent)}

    assert admit(echo)(environ, Reply()) == [read]
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
                answer = client("POST", "/auth/register", pieces, content_type="application/json")
                answers.append((answer.status, answer.code))

    assert answers == [(201, ""), (413, "CONTENT_TOO_LARGE")]
    assert User.objects.get().email == "alice@example.com"
