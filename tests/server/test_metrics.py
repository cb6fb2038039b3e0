"""/metrics: counters, labels, the sum of all workers, and access."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from io import BytesIO
from threading import Event, Thread

import pytest
from django.core import signals
from django.core.handlers.wsgi import WSGIHandler
from django.db import close_old_connections, connection
from django.test.utils import CaptureQueriesContext
from prometheus_client import Counter, Gauge

from bookstore.api.errors import MethodNotAllowed
from bookstore.environment import networks
from bookstore.server import direct, metrics, metrics_files
from bookstore.server.direct import DirectReads
from bookstore.server.slots import Kind, Slots
from bookstore.server.start import metrics_folder
from tests.support.client import Client
from tests.support.server import ROOT, running_server

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def metrics_on(settings):
    settings.METRICS_ENABLED = True
    settings.MIDDLEWARE = ["bookstore.server.metrics.MetricsMiddleware", *settings.MIDDLEWARE]


@pytest.fixture
def call(settings):
    """Calls the measured application as a server does, and gives the status and the body."""
    application = metrics.Metered(WSGIHandler())
    # As Django's test client does: the connection is the test's, with its transaction.
    signals.request_started.disconnect(close_old_connections)
    signals.request_finished.disconnect(close_old_connections)

    def call(method, path, body=b"", **environ):
        said = []
        content = application(
            {
                "REQUEST_METHOD": method,
                "PATH_INFO": path,
                "SERVER_NAME": "localhost",
                "SERVER_PORT": "80",
                "SERVER_PROTOCOL": "HTTP/1.1",
                "REMOTE_ADDR": "127.0.0.1",
                "CONTENT_TYPE": "application/json",
                "CONTENT_LENGTH": str(len(body)),
                "wsgi.url_scheme": "http",
                "wsgi.input": BytesIO(body),
                "wsgi.errors": sys.stderr,
            }
            | environ,
            lambda status, headers, *rest: said.append(status),
        )
        content = getattr(content, "content", None) or b"".join(content)
        return int(said[0][:3]), content.decode()

    call.application = application
    yield call
    signals.request_started.connect(close_old_connections)
    signals.request_finished.connect(close_old_connections)


def value(text, name, **labels):
    """One sample's value; 0 when there is none."""
    for line in text.splitlines():
        match = re.fullmatch(r"([a-z_]+)(?:\{(.*)\})? (\S+)", line)
        if match and match[1] == name and dict(re.findall(r'(\w+)="([^"]*)"', match[2] or "")) == labels:
            return float(match[3])
    return 0.0


def answer_of(**environ):
    """Status, headers and body of /metrics."""
    said = {}
    own = {"REQUEST_METHOD": "GET", "PATH_INFO": "/metrics", "REMOTE_ADDR": "127.0.0.1"}
    body = metrics.Metered(WSGIHandler())(
        own | environ, lambda status, headers: said.update(status=status, headers=dict(headers))
    )
    return said["status"], said["headers"], b"".join(body)


def slots_of(application):
    """What /metrics says of the slots and the queue."""
    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/metrics", "REMOTE_ADDR": "127.0.0.1"}
    text = b"".join(application(environ, lambda *answer: None)).decode()
    names = {"slots": "slots", "taken": "slots_taken", "queued": "requests_queued"}
    return {key: value(text, f"bookstore_{name}") for key, name in names.items()}


@pytest.fixture
def grown(call):
    """How much a sample has grown since this test began."""
    before = call("GET", "/metrics")[1]
    return lambda name, **labels: value(call("GET", "/metrics")[1], name, **labels) - value(before, name, **labels)


def test_direct_reads_are_counted_as_others(call, grown, emma, monkeypatch):
    monkeypatch.setattr(direct, "begin_and_end", lambda: None)  # the connection is the test's
    call.application.application = DirectReads(WSGIHandler(), metrics.measuring)

    for _ in range(3):
        assert call("GET", f"/books/{emma.pk}")[0] == 200

    labels = {"route": "books/<id:book_id>"}
    assert grown("bookstore_requests_total", method="GET", status="200", **labels) == 3
    assert grown("bookstore_request_wait_seconds_count") == 3
    assert grown("bookstore_database_statements_total", **labels) == 3


def test_successes_that_an_app_counts_include_direct_reads(call, emma, monkeypatch):
    counted = Counter("looks", "Books that were looked at.", registry=None)
    monkeypatch.setitem(metrics._counted, ("GET", "books/<id:book_id>"), [(None, counted)])
    monkeypatch.setattr(direct, "begin_and_end", lambda: None)  # the connection is the test's
    call.application.application = DirectReads(WSGIHandler(), metrics.measuring)

    for _ in range(3):
        call("GET", f"/books/{emma.pk}")
    call("GET", "/books/999999999")

    assert counted._value.get() == 3


def test_requests_are_counted_by_method_route_and_status(call, grown):
    call("GET", "/books")
    call("GET", "/books/999999999")
    call("GET", "/books/888888888/")

    assert grown("bookstore_requests_total", method="GET", route="books", status="200") == 1
    assert grown("bookstore_requests_total", method="GET", route="books/<id:book_id>", status="404") == 2
    assert grown("bookstore_request_duration_seconds_count", method="GET", route="books/<id:book_id>") == 2
    assert grown("bookstore_request_wait_seconds_count") == 3
    assert grown("bookstore_requests_in_progress") == 0


def test_labels_are_bounded_whatever_is_asked_for(call, grown):
    for number in range(20):
        call("GET", f"/nothing-{number}")
        call(f"VERB{number}", "/health")
        call("GET", f"/static/none-{number}.css")

    text = call("GET", "/metrics")[1]
    assert "nothing-" not in text
    assert "VERB" not in text
    assert "none-1" not in text
    assert grown("bookstore_requests_total", method="GET", route="none", status="404") == 20
    assert grown("bookstore_requests_total", method="other", route="health", status="405") == 20
    assert grown("bookstore_requests_total", method="GET", route="static", status="404") == 20


def test_the_databases_part_is_told_by_route(call, grown):
    with CaptureQueriesContext(connection) as queries:
        call("GET", "/books")

    assert grown("bookstore_database_statements_total", route="books") == len(queries) > 0
    assert 0 < grown("bookstore_database_seconds_total", route="books") < 5
    assert grown("bookstore_database_statements_total", route="health") == 0


def test_a_bug_counts_as_500(call, grown, monkeypatch, settings):
    settings.DEBUG_PROPAGATE_EXCEPTIONS = False
    monkeypatch.setattr("bookstore.server.health.HealthView.get", lambda *args: 1 / 0)

    assert call("GET", "/health")[0] == 500

    assert grown("bookstore_requests_total", method="GET", route="health", status="500") == 1
    assert grown("bookstore_requests_in_progress") == 0


def test_the_pool_is_told_as_it_is_now():
    slots, leave = Slots(3, patience=10), Event()
    measured = metrics.Metered(WSGIHandler(), slots)

    def visit():
        connection = slots.take(Kind.PUBLIC)
        leave.wait(10)
        slots.give_back(connection, Kind.PUBLIC)

    visitors = [Thread(target=visit) for _ in range(4)]
    for visitor in visitors:
        visitor.start()
    while not slots.waiting:
        time.sleep(0.001)

    crowded = slots_of(measured)
    leave.set()
    for visitor in visitors:
        visitor.join(10)
    quiet = slots_of(measured)

    assert crowded == {"slots": 3, "taken": 3, "queued": 1}
    assert quiet == {"slots": 3, "taken": 0, "queued": 0}


@pytest.mark.postgres  # a database of SQLite's in memory is never closed
@pytest.mark.django_db(transaction=True)
def test_connections_that_are_opened_are_counted(call, grown):
    connection.close()
    call("GET", "/ready")

    assert grown("bookstore_database_connections_opened_total") == 1


def test_reading_the_metrics_is_not_measured(call, grown):
    call("GET", "/metrics")

    assert "/metrics" not in call("GET", "/metrics")[1]
    assert grown("bookstore_requests_total", method="GET", route="none", status="200") == 0


@pytest.mark.parametrize(
    ("environ", "status"),
    [
        ({}, 200),
        ({"REMOTE_ADDR": "::1"}, 200),
        ({"REMOTE_ADDR": "::ffff:127.0.0.1"}, 200),
        ({"REMOTE_ADDR": "10.1.2.3"}, 200),
        ({"REMOTE_ADDR": "192.0.2.1"}, 404),
        ({"REMOTE_ADDR": ""}, 404),
        ({"REMOTE_ADDR": "unix:"}, 404),
        ({"HTTP_X_FORWARDED_FOR": "127.0.0.1"}, 404),
        ({"HTTP_X_FORWARDED_FOR": "192.0.2.1"}, 404),
        ({"HTTP_FORWARDED": "for=127.0.0.1"}, 404),
        ({"HTTP_X_REAL_IP": "127.0.0.1"}, 404),
        ({"HTTP_X_FORWARDED_PROTO": "https"}, 404),
        ({"HTTP_VIA": "1.1 proxy"}, 404),
        ({"REMOTE_ADDR": "10.9.9.9"}, 404),  # a proxy that adds no header
        ({"REMOTE_ADDR": "10.9.9.9", "HTTP_AUTHORIZATION": "Bearer scrape-0123456789-abcdef"}, 200),
        ({"REMOTE_ADDR": "192.0.2.1", "HTTP_AUTHORIZATION": "Bearer scrape-0123456789-abcdef"}, 200),
        ({"HTTP_X_FORWARDED_FOR": "192.0.2.1", "HTTP_AUTHORIZATION": "bearer scrape-0123456789-abcdef"}, 200),
        ({"HTTP_AUTHORIZATION": "Bearer scrape-0123456789-abcdeg"}, 404),
        ({"HTTP_AUTHORIZATION": "Bearer é"}, 404),
        ({"REMOTE_ADDR": "192.0.2.1", "HTTP_AUTHORIZATION": "Basic scrape-0123456789-abcdef"}, 404),
        ({"REMOTE_ADDR": "192.0.2.1", "HTTP_AUTHORIZATION": "Bearer "}, 404),
    ],
)
def test_the_metrics_are_for_those_who_may_read_them(call, settings, environ, status):
    settings.METRICS_TOKEN = "scrape-0123456789-abcdef"
    settings.METRICS_ALLOWED = [*settings.METRICS_ALLOWED, *networks(["10.0.0.0/8"])]
    settings.TRUSTED_PROXIES = networks(["10.9.9.9"])

    assert call("GET", "/metrics", **environ)[0] == status


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_the_metrics_have_the_headers_of_every_answer(method):
    status, headers, body = answer_of(REQUEST_METHOD=method, HTTP_X_REQUEST_ID="scrape-7")

    assert status == "200 OK"
    assert headers == {
        "Content-Type": "text/plain; version=1.0.0; charset=utf-8",
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "same-origin",
        "Cross-Origin-Opener-Policy": "same-origin",
        "X-Frame-Options": "DENY",
        "X-Request-ID": "scrape-7",
    }
    assert (body == b"") is (method == "HEAD")


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "VERB"])
def test_the_metrics_are_only_read(method):
    status, headers, body = answer_of(REQUEST_METHOD=method)

    assert status == "405 Method Not Allowed"
    assert (headers["Allow"], headers["X-Frame-Options"]) == ("GET, HEAD", "DENY")
    assert json.loads(body) == MethodNotAllowed().envelope()


def test_without_a_token_no_bearer_opens_the_metrics(call, settings):
    settings.METRICS_TOKEN = ""

    assert call("GET", "/metrics", REMOTE_ADDR="192.0.2.1", HTTP_AUTHORIZATION="Bearer ")[0] == 404


def test_a_worker_that_died_has_nothing_in_progress(tmp_path):
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    for process in (ended.pid, os.getpid()):
        for kind in ("gauge_livesum", "counter"):
            (tmp_path / f"{kind}_{process}.db").touch()

    metrics_files.forget_dead_workers(str(tmp_path))

    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(
        [f"counter_{ended.pid}.db", f"counter_{os.getpid()}.db", f"gauge_livesum_{os.getpid()}.db"]
    )


def test_the_workers_folder_is_ours_and_empty(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path))
    folder = metrics_folder(8000)
    (tmp_path / folder / "counter_1.db").touch()

    again = metrics_folder(8000)

    assert again == folder != metrics_folder(8001)
    assert os.listdir(again) == []
    assert os.stat(again).st_mode & 0o777 == 0o700


def test_a_link_in_place_of_the_workers_folder_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path))
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / f"bookstore-metrics-{os.getuid()}-8000").symlink_to(tmp_path / "elsewhere")

    with pytest.raises(Exception, match=r"cannot be used \(it is somebody else's\): set TMPDIR"):
        metrics_folder(8000)


def test_the_room_of_a_workers_files_is_taken_when_it_starts(tmp_path, monkeypatch):
    monkeypatch.setenv(metrics_files.VARIABLE, str(tmp_path))

    files = metrics_files.Files()

    assert not files.given_up
    assert {path.name: path.stat().st_size for path in tmp_path.iterdir()} == {
        f"{kind}_{os.getpid()}.db": size for kind, size in metrics_files.ROOM.items()
    }
    assert all(path.stat().st_blocks * 512 >= path.stat().st_size for path in tmp_path.iterdir())


def test_a_file_that_has_grown_is_given_its_room(tmp_path, monkeypatch):
    monkeypatch.setenv(metrics_files.VARIABLE, str(tmp_path))
    files = metrics_files.Files()
    grown = tmp_path / f"counter_{os.getpid()}.db"
    os.truncate(grown, 3_000_000)

    files.keep_room()

    assert grown.stat().st_blocks * 512 >= 3_000_000


def test_prometheus_names_its_files_as_their_room_is_taken(tmp_path):
    """The names are its own, and not promised."""
    code = (
        "import bookstore.server.metrics_files\n"
        "from prometheus_client import Counter, Gauge, Histogram, CollectorRegistry\n"
        "registry = CollectorRegistry()\n"
        "Counter('a', 'a', registry=registry).inc()\n"
        "Histogram('b', 'b', registry=registry).observe(1)\n"
        "for mode in ('liveall', 'livemax', 'livemin', 'livemostrecent', 'livesum', 'max'):\n"
        "    Gauge(f'of_{mode}', 'c', registry=registry, multiprocess_mode=mode).set(1)\n"
    )
    subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=os.environ | {metrics_files.VARIABLE: str(tmp_path)}, check=True
    )

    found = {path.name.rpartition("_")[0]: path.stat().st_size for path in tmp_path.iterdir()}
    assert found == metrics_files.ROOM


def test_every_gauge_has_a_file_whose_room_is_taken():
    """A file without its room ends the worker by SIGBUS on a full disk."""
    metrics.load_metrics_of_apps()

    gauges = [metric for metric in metrics.registry._collector_to_names if isinstance(metric, Gauge)]

    assert [gauge for gauge in gauges if f"gauge_{gauge._multiprocess_mode}" not in metrics_files.ROOM] == []


def test_without_room_nothing_is_counted_and_the_log_says_so(tmp_path, monkeypatch, caplog):
    monkeypatch.setenv(metrics_files.VARIABLE, str(tmp_path))
    monkeypatch.setattr(metrics_files, "take_room", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left")))

    files = metrics_files.Files()

    assert files.given_up
    assert metrics_files.VARIABLE not in os.environ
    assert caplog.messages == [
        f"METRICS_ENABLED is set, and the workers' folder {tmp_path} has no space or was deleted (No space left): this "
        "worker stops counting, and answers 503 at /metrics until the server is restarted"
    ]


def test_a_deleted_folder_is_503_at_metrics_and_told_once(call, tmp_path, monkeypatch, caplog):
    folder = tmp_path / "workers"
    folder.mkdir()
    monkeypatch.setenv(metrics_files.VARIABLE, str(folder))
    monkeypatch.setattr(metrics, "files", metrics_files.Files())
    shutil.rmtree(folder)

    told = [call("GET", "/metrics") for _ in range(2)]

    assert [(status, json.loads(body)["code"]) for status, body, *_ in told] == [(503, "SERVICE_UNAVAILABLE")] * 2
    assert [record.getMessage() for record in caplog.records if record.name == "bookstore.server"] == [
        f"METRICS_ENABLED is set, and the workers' folder {folder} has no space or was deleted (No such file or "
        "directory): this worker stops counting, and answers 503 at /metrics until the server is restarted"
    ]
    assert call("GET", "/health")[0] == 200


def test_metrics_that_were_given_up_are_503_and_stop_nobody(call, grown, monkeypatch):
    monkeypatch.setattr(metrics.files, "given_up", True)

    told = call("GET", "/metrics")
    served = call("GET", "/health")

    assert (told[0], json.loads(told[1])["code"]) == (503, "SERVICE_UNAVAILABLE")
    assert served[0] == 200
    monkeypatch.setattr(metrics.files, "given_up", False)
    assert grown("bookstore_requests_total", method="GET", route="health", status="200") == 0


def scraped(port, host="any.example"):
    with Client(port) as client:
        answer = client("GET", "/metrics", Host=host)
    return answer.status, answer.content.decode()


@pytest.mark.slow
@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_two_workers_answer_with_the_sum_of_both(tmp_path):
    with running_server(workers=2, METRICS_ENABLED="1", TMPDIR=str(tmp_path)) as port:
        for _ in range(40):
            with Client(port) as client:
                client("GET", "/books")
        deadline = time.monotonic() + 30
        while value(scraped(port)[1], "bookstore_slots") != 6 and time.monotonic() < deadline:
            time.sleep(0.2)  # until both have sampled their slots
        answers = [scraped(port) for _ in range(10)]
        slots = [value(text, "bookstore_slots") for _, text in answers]

    assert {status for status, _ in answers} == {200}
    counted = {
        value(text, "bookstore_requests_total", method="GET", route="books", status="200") for _, text in answers
    }
    assert counted == {40}
    assert set(slots) == {6}  # of each worker one that is shared, one for changes, one for staff
    statements = {value(text, "bookstore_database_statements_total", route="books") for _, text in answers}
    assert len(statements) == 1
    assert min(statements) >= 40  # what a worker asks once, at its first request, comes beside
    assert len(list(tmp_path.glob("bookstore-metrics-*/counter_*.db"))) == 2


@pytest.mark.slow
@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_without_the_setting_there_is_nothing_at_metrics():
    with running_server(workers=1) as port:
        status, body = scraped(port, host="localhost")

    assert status == 404
    assert "bookstore_" not in body
