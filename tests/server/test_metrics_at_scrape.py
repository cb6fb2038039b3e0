"""What /metrics reads from the database: by whichever worker is asked, never for long, never too often."""

import re
import time
from threading import Event

import pytest
from django.db import OperationalError

from bookstore.server import metrics, metrics_at_scrape
from bookstore.server.metrics_at_scrape import AtScrape
from bookstore.tasks.tests import examples
from tests.support.client import Client
from tests.support.server import running_server


@pytest.fixture
def at_scrape():
    return AtScrape()


def test_the_numbers_are_read_before_the_answer(at_scrape):
    read = []
    at_scrape.add(lambda: read.append("tasks"))

    at_scrape.read()

    assert read == ["tasks"]


def test_many_scrapes_read_the_numbers_once(at_scrape):
    read = []
    at_scrape.add(lambda: read.append("tasks"))

    for _ in range(10):
        at_scrape.read()

    assert read == ["tasks"]


def test_a_database_that_hangs_holds_up_no_scrape_for_long(at_scrape, monkeypatch):
    monkeypatch.setattr(metrics_at_scrape, "WAIT", 0.01)
    monkeypatch.setattr(metrics_at_scrape, "EVERY", 0)
    answers, read = Event(), []
    at_scrape.add(lambda: read.append(answers.wait(10)))

    at_scrape.read()
    at_scrape.read()  # starts no second reading beside the first

    assert read == []
    answers.set()
    at_scrape.reading.join(10)
    assert read == [True]


@pytest.mark.parametrize("error", [OperationalError("the server is away\nat all"), OSError(28, "No space left")])
def test_numbers_that_cannot_be_read_are_told_in_one_line(at_scrape, caplog, error):
    def read():
        raise error

    at_scrape.add(read)

    at_scrape.read()
    at_scrape.reading.join(10)

    first = str(error).splitlines()[0]
    assert caplog.messages == [f"A scrape of /metrics could not read the database's numbers: {first}"]


def test_the_connection_of_a_scrape_is_not_counted_as_opened(at_scrape):
    def opened():
        return metrics.registry.get_sample_value("bookstore_database_connections_opened_total")

    before = opened()
    at_scrape.add(metrics.count_connection)
    at_scrape.read()
    at_scrape.reading.join(10)
    in_a_scrape = opened() - before
    metrics.count_connection()

    assert (in_a_scrape, opened() - before) == (0, 1)


@pytest.mark.slow
@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_a_host_that_runs_no_tasks_tells_how_many_wait():
    examples.greet.enqueue("Alice")

    with running_server(workers=1, METRICS_ENABLED="1", TASK_WORKERS="0") as port, Client(port) as client:
        text = client("GET", "/metrics").content.decode()

    assert set(re.findall(r'^bookstore_tasks\{state="(\w+)"\} (\S+)', text, re.MULTILINE)) == {
        ("waiting", "1.0"),
        ("running", "0.0"),
        ("failed", "0.0"),
    }


@pytest.mark.slow
@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_memory_is_told_of_workers_and_not_of_the_task_process():
    with running_server(workers=2, METRICS_ENABLED="1", TASK_WORKERS="1") as port, Client(port) as client:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            text = client("GET", "/metrics").content.decode()
            memory = re.findall(r'^bookstore_worker_memory_bytes\{pid="\d+"\} (\S+)', text, re.MULTILINE)
            if len(memory) == 2 and "0.0" not in memory:
                break
            time.sleep(0.2)

    assert [float(each) > 10_000_000 for each in memory] == [True, True]
