"""The process of background tasks, which the server's main process starts while it may be forking a worker."""

import os
import socket
import subprocess
import time

from bookstore.server import metrics_files, task_process
from bookstore.server.task_process import TaskProcess


def test_the_process_is_spawned_without_a_pipe_a_fork_would_keep(monkeypatch):
    spawned = []
    spawn = os.posix_spawn
    monkeypatch.setattr(os, "posix_spawn", lambda *args, **options: spawned.append(args[0]) or spawn(*args, **options))
    monkeypatch.setattr(task_process, "RUN_TASKS", "import time; time.sleep(60)")
    tasks = TaskProcess()

    tasks.start()
    deadline = time.monotonic() + 30
    while tasks.process is None and time.monotonic() < deadline:
        time.sleep(0.01)
    tasks.wait()

    assert spawned == [task_process.command_line()[0]]


def test_the_process_has_no_part_in_the_workers_counters(monkeypatch):
    monkeypatch.setenv(metrics_files.VARIABLE, "/nowhere")

    assert os.environ.items() - task_process.environment().items() == {(metrics_files.VARIABLE, "/nowhere")}


def test_the_process_does_not_hold_the_servers_socket(monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.set_inheritable(True)
        looks = f"{task_process.CLOSE_INHERITED}\nos.fstat({listener.fileno()})"
        monkeypatch.setattr(task_process, "RUN_TASKS", looks)

        ended = subprocess.run(task_process.command_line(), close_fds=False, capture_output=True, text=True)

    assert "Bad file descriptor" in ended.stderr
