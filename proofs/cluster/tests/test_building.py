"""A cluster's folder: one at a time, and nothing of an earlier run stays."""

import os
import subprocess
import sys
import time

import pytest

from proofs.cluster import building, hosts, needs
from tests.support.processes import below, processes


@pytest.fixture(autouse=True)
def no_network(monkeypatch):
    """A cluster that may be running on this machine is left alone."""
    monkeypatch.setattr(needs, "can_have_a_network", lambda: False)


def test_a_cluster_that_was_killed_leaves_nothing_to_the_next(tmp_path):
    folder = tmp_path / "cluster"
    (folder / "db1" / "data").mkdir(parents=True)
    stray = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)", str(folder / "db1" / "data")])
    while str(folder) not in processes()[stray.pid][1]:
        time.sleep(0.01)

    with building.claimed(folder):
        left = [path.name for path in folder.iterdir()]
        code = stray.wait(10)

    assert left == ["lock"]
    assert code == -9
    assert not folder.exists()


def test_a_process_of_a_pid_file_is_spared_when_it_is_another(tmp_path):
    folder = tmp_path / "cluster"
    (folder / "app1").mkdir(parents=True)
    other = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    (folder / "app1" / "app.process").write_text(str(other.pid))

    with building.claimed(folder):
        alive = other.poll() is None

    other.kill()
    other.wait()
    assert alive


def test_a_second_cluster_is_refused_in_words(tmp_path):
    folder = tmp_path / "cluster"

    with building.claimed(folder), pytest.raises(building.AlreadyRunning) as caught, building.claimed(folder):
        pass

    assert str(caught.value) == f"another cluster is up, in {folder}: end that one first"


def test_a_folder_of_somebody_else_is_not_used(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "getuid", lambda: 424242)

    with pytest.raises(building.AlreadyRunning, match="is somebody else's: remove it"), building.claimed(tmp_path):
        pass


def test_what_is_missing_is_named_with_its_package():
    with pytest.raises(needs.Missing) as caught:
        needs.programs({"PATH": "/nowhere", "PG_BIN_DIRS": ""})

    text = str(caught.value)
    assert "postgres with pg_rewind (postgresql)" in text
    assert "On Debian and Ubuntu: apt-get install " in text


def test_kill_ends_what_a_process_started_too():
    parent = subprocess.Popen(
        [sys.executable, "-c", "import subprocess, sys; subprocess.run([sys.executable, '-c', 'input()'])"],
        stdin=subprocess.PIPE,
    )
    while len(below([parent.pid], processes())) < 2:
        time.sleep(0.01)
    both = below([parent.pid], processes())

    hosts.kill(lambda: [pid for pid in both if pid in processes()])

    assert parent.wait(10) == -9
    assert parent.stdin is not None
    parent.stdin.close()
    assert [pid for pid in both if pid in processes()] == []
