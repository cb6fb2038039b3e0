"""The states of a task: run once, retried after a failure, run again after its process died."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections import deque
from datetime import timedelta

import pytest
from django.db import DEFAULT_DB_ALIAS, InterfaceError, connection, connections, transaction
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from bookstore.server.limits import SERVER_PID
from bookstore.server.metrics import registry
from bookstore.tasks import cleaning, metrics, models, worker
from bookstore.tasks.metrics import STATUSES
from bookstore.tasks.models import TaskWorker
from bookstore.tasks.tests import examples
from bookstore.tasks.worker import Stopped, Worker, recover, run_waiting
from tests.support.server import ROOT, environment_for_tests, running_server

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def nothing_done():
    examples.done.clear()


def states():
    return list(DBTaskResult.objects.order_by("enqueued_at").values_list("status", flat=True))


def of_a_worker(name, *, seconds_ago=0, process=None, host=None):
    made = TaskWorker.objects.create(id=name, host=host or socket.gethostname(), process=process or os.getpid())
    TaskWorker.objects.filter(pk=name).update(seen_at=timezone.now() - timedelta(seconds=seconds_ago))
    return made


def claimed_by(*names):
    result = examples.greet.enqueue("Alice")
    DBTaskResult.objects.filter(pk=result.id).update(
        status="RUNNING", worker_ids=list(names), started_at=timezone.now()
    )


def test_a_task_is_run_once_and_its_result_is_kept():
    result = examples.greet.enqueue("Alice")

    assert run_waiting() == 1
    assert run_waiting() == 0
    result.refresh()
    assert (result.status, result.return_value) == ("SUCCESSFUL", "Hello, Alice")
    assert examples.done == ["Alice"]


def test_metrics_count_as_waiting_what_is_due():
    examples.greet.using(run_after=timezone.now() + timedelta(hours=1)).enqueue("Carol")
    examples.give_up.enqueue()
    run_waiting()
    examples.greet.enqueue("Alice")
    examples.greet.using(run_after=timezone.now() - timedelta(seconds=1)).enqueue("Bob")

    metrics.look()

    numbers = {state: registry.get_sample_value("bookstore_tasks", {"state": state}) for state in STATUSES.values()}
    assert numbers == {"waiting": 2, "running": 0, "failed": 1}


def test_a_task_is_not_run_when_its_transaction_fails():
    with transaction.atomic():
        examples.greet.enqueue("Alice")
        transaction.set_rollback(True)

    assert run_waiting() == 0


def test_a_task_that_fails_is_run_again_later_and_then_no_more(caplog):
    examples.fail.enqueue("Bob")
    waits = []

    for _ in range(4):
        run_waiting()
        task = DBTaskResult.objects.get()
        waits.append(round((task.run_after - timezone.now()).total_seconds(), -1))
        DBTaskResult.objects.update(run_after=timezone.now())

    assert examples.done == ["Bob"] * 4
    assert (waits[:3], states()) == ([10, 60, 600], ["FAILED"])
    assert task.exception_class_path == "builtins.LookupError"
    assert "nobody is called Bob" in task.traceback
    assert "Task fail failed for good (attempt 4)" in caplog.text


def test_a_task_with_pauses_of_its_own_is_retried_after_those():
    result = examples.fail_patiently.enqueue("Bob")
    waits = []

    for claims in (["died"], ["died"] * 8, ["died"] * 2):
        DBTaskResult.objects.update(status="READY", run_after=timezone.now(), worker_ids=claims)
        run_waiting()
        waits.append(round((DBTaskResult.objects.get().run_after - timezone.now()).total_seconds(), -1))

    result.refresh()
    assert (waits, result.status) == ([60, 3600, 60], "READY")
    DBTaskResult.objects.update(status="RUNNING", worker_ids=["died"] * 19)
    recover()
    assert states() == ["READY"]
    DBTaskResult.objects.update(status="RUNNING", worker_ids=["died"] * 20)
    recover()
    assert states() == ["FAILED"]


@pytest.mark.parametrize(
    ("task", "state", "reason"),
    [
        (examples.give_up, "FAILED", "bookstore.tasks.GiveUp"),
        (examples.end_the_process, "READY", "builtins.SystemExit"),
        (examples.answer_what_is_no_json, "READY", "builtins.TypeError"),
    ],
)
def test_whatever_a_task_raises_the_worker_goes_on(task, state, reason):
    task.enqueue()

    run_waiting()
    examples.greet.enqueue("Alice")
    run_waiting()

    failed = DBTaskResult.objects.order_by("enqueued_at").first()
    assert (failed.status, failed.exception_class_path) == (state, reason)
    assert examples.done == ["Alice"]


def test_a_task_stopped_midway_is_ready_again_and_no_attempt():
    examples.stop_in_the_middle.enqueue()

    with pytest.raises(Stopped):
        run_waiting()

    task = DBTaskResult.objects.get()
    assert (task.status, task.worker_ids, examples.done) == ("READY", [], ["begun"])


def test_tasks_of_dead_workers_are_ready_again(caplog):
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    of_a_worker("lives")
    of_a_worker("died", process=ended.pid)
    of_a_worker("silent", seconds_ago=models.SILENT + 1, host="another.example")
    of_a_worker("far away", seconds_ago=models.SILENT - 10, host="another.example", process=ended.pid)
    for name in ("lives", "died", "silent", "far away", "never heard of"):
        claimed_by(name)

    assert recover() == 3

    assert states() == ["RUNNING", "READY", "READY", "RUNNING", "READY"]
    assert set(TaskWorker.objects.values_list("pk", flat=True)) == {"lives", "far away"}
    assert "Task greet was left by a worker that died: it is run again" in caplog.text


def test_a_task_whose_end_a_worker_could_not_write_is_ready_again():
    of_a_worker("me")
    claimed_by("me")

    assert recover() == 0
    assert recover("me") == 1
    assert states() == ["READY"]


def test_a_task_that_ends_its_worker_each_time_fails_for_good():
    claimed_by(*["died"] * 8)

    recover()

    assert states() == ["FAILED"]


def test_the_last_worker_to_claim_a_task_writes_its_end(caplog):
    examples.greet.enqueue("Alice")
    mine = DBTaskResult.objects.get()
    mine.claim("one that slept")
    DBTaskResult.objects.update(started_at=timezone.now() + timedelta(seconds=60), worker_ids=["another"])

    worker.run_claimed(mine)

    task = DBTaskResult.objects.get()
    assert (task.status, task.worker_ids) == ("RUNNING", ["another"])
    assert "Task greet was taken over by another worker" in caplog.text


def test_tasks_that_ended_long_ago_are_deleted_in_batches():
    for state, days in (("SUCCESSFUL", 8), ("SUCCESSFUL", 6), ("FAILED", 29), ("FAILED", 31), ("READY", 99)):
        result = examples.greet.enqueue("Alice")
        DBTaskResult.objects.filter(pk=result.id).update(
            status=state, finished_at=timezone.now() - timedelta(days=days)
        )

    assert cleaning.clean_up(batch=1) == "Background tasks that ended long ago: 2 deleted."
    assert sorted(states()) == ["FAILED", "READY", "SUCCESSFUL"]


@pytest.fixture
def processes(transactional_db):
    """`start()` starts `manage.py run_tasks`; all that were started are ended."""
    started = []
    environment = environment_for_tests(LOG_LEVEL="ERROR")

    def start(**more):
        command = [sys.executable, "manage.py", "run_tasks"]
        started.append(subprocess.Popen(command, cwd=ROOT, env=environment | more))
        return started[-1]

    yield start
    for process in started:
        process.terminate()
        process.wait(10)


def wait_for(condition, seconds=30):
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert condition()


@pytest.mark.slow
@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM], ids=["killed", "stopped"])
def test_a_task_whose_process_ends_is_run_again_by_the_next(processes, tmp_path, number):
    examples.write_slowly.enqueue(str(tmp_path), 60)
    process = processes()
    wait_for((tmp_path / "begun").exists)

    process.send_signal(number)
    process.wait(10)
    processes()
    wait_for((tmp_path / "ended").exists)
    wait_for(lambda: states() == ["SUCCESSFUL"])

    assert ((tmp_path / "begun").read_text(), (tmp_path / "ended").read_text()) == ("xx", "x")


@pytest.mark.slow
@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_many_tasks_are_each_run_once_by_several_processes(processes, tmp_path):
    for number in range(60):
        (tmp_path / str(number)).mkdir()
        examples.write_slowly.enqueue(str(tmp_path / str(number)), 0)
    for _ in range(3):
        processes()

    wait_for(lambda: set(states()) == {"SUCCESSFUL"})

    assert {(folder / "begun").read_text() for folder in tmp_path.iterdir()} == {"x"}


@pytest.mark.slow
@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_serve_runs_tasks_and_replaces_a_process_that_died(tmp_path):
    with running_server(workers=1, TASK_WORKERS="1"):
        wait_for(TaskWorker.objects.exists)
        first = TaskWorker.objects.get()
        os.kill(first.process, signal.SIGKILL)
        examples.write_slowly.enqueue(str(tmp_path), 0)
        wait_for((tmp_path / "ended").exists)
        wait_for(lambda: not TaskWorker.objects.filter(pk=first.pk).exists())
        second = TaskWorker.objects.get()

    wait_for(lambda: not TaskWorker(host=second.host, process=second.process).is_alive())
    recover()  # on a busy machine it may have been killed before it could delete its row
    assert not TaskWorker.objects.exists()
    connection.close()


@pytest.mark.slow
@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_a_process_whose_server_ended_while_it_started_ends(processes):
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()

    process = processes(**{SERVER_PID: str(ended.pid)})

    assert process.wait(60) == 0


def test_stop_ends_the_wait_once():
    running = Worker()

    with pytest.raises(Stopped):
        running.stop()
    running.stop()

    assert running.stopping


def test_statements_of_tasks_are_not_kept_with_debug(settings, monkeypatch):
    settings.DEBUG = True
    monkeypatch.setattr(connections[DEFAULT_DB_ALIAS], "queries_log", deque(maxlen=9_000))
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    monkeypatch.setattr(worker, "end_with", lambda parent: None)
    counts = Worker()
    monkeypatch.setattr(counts, "run", lambda: [TaskWorker.objects.count() for _ in range(9)])

    worker.main(counts)

    assert len(connection.queries_log) == 1


@pytest.mark.django_db(transaction=True)
def test_worker_goes_on_after_its_connection_was_closed(monkeypatch, caplog):
    runs = Worker()
    calls = []

    def run_next():
        calls.append(len(calls))
        if len(calls) == 1:
            raise InterfaceError("the connection is closed\nby the server")
        runs.stopping = True
        return True

    monkeypatch.setattr(worker, "POLL", 0)
    monkeypatch.setattr(runs, "give_signs_of_life", lambda: None)
    monkeypatch.setattr(runs, "run_next", run_next)

    runs.run()

    assert calls == [0, 1]
    assert caplog.messages == ["Tasks wait for the database: the connection is closed"]
