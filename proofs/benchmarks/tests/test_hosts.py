"""What a second host gives: the arithmetic of its table, and the bound on each host's CPU."""

import os
import subprocess
import sys

import pytest

from proofs.benchmarks import cgroups, hosts
from proofs.benchmarks.loads import Sample


def turn(count, rate, *, requests=1000, cpu_seconds=0.5):
    sample = Sample(rate, 1.0, 2.0, requests=requests)
    return hosts.Turn(count, sample, cpu_seconds=cpu_seconds, used=0.99, spare=0.4)


def test_the_table_has_medians_and_the_median_of_the_ratios_within_the_rounds():
    # The machine was slow for both in the second round; every other round begins with two hosts.
    taken = [turn(1, 100), turn(2, 190), turn(2, 21), turn(1, 10), turn(1, 100), turn(2, 200)]

    lines = hosts.table({"get5": taken}).splitlines()

    assert lines[2:] == [
        "| GET, 5 lines | 1 | **100** (10 to 100) | ×1.00 | 1.0 / 2.0 | 0.500 | 99% | 40% |",
        "| GET, 5 lines | 2 | **190** (21 to 200) | ×2.00 | 1.0 / 2.0 | 0.500 | 99% | 40% |",
    ]


def test_the_cost_is_the_cpu_of_all_hosts_for_1000_requests():
    one = turn(2, 100, requests=4000, cpu_seconds=2.0)

    assert one.cost == 0.5


def test_the_balancer_has_only_the_hosts_that_are_asked(tmp_path):
    first, second = (hosts.Server(hosts.PROJECT, port, None) for port in (8001, 8002))

    one = hosts.balancer("/usr/sbin/haproxy", [first], tmp_path)
    two = hosts.balancer("/usr/sbin/haproxy", [first, second], tmp_path)

    assert (one.title, two.title) == ("1 host", "2 hosts")
    written = [(tmp_path / f"haproxy-{count}.cfg").read_text().split("leastconn\n")[1] for count in (1, 2)]
    assert written == [
        "  server host8001 127.0.0.1:8001\n",
        "  server host8001 127.0.0.1:8001\n  server host8002 127.0.0.1:8002\n",
    ]


def test_a_missing_haproxy_is_named_with_its_package(monkeypatch):
    monkeypatch.setattr(hosts, "found", lambda names, environ: {})

    with pytest.raises(SystemExit, match=r"haproxy is not installed.*apt install haproxy"):
        hosts.main([])


def test_who_is_not_root_is_told(monkeypatch):
    monkeypatch.setattr(hosts, "found", lambda names, environ: dict.fromkeys(names, "/usr/sbin/haproxy"))
    monkeypatch.setattr(hosts.loads, "find_wrk", lambda: "/usr/bin/wrk")
    monkeypatch.setattr(hosts.os, "geteuid", lambda: 1000)

    with pytest.raises(SystemExit, match="run this as root"):
        hosts.main([])


def test_a_quarter_of_a_core_in_version_1_of_control_groups(tmp_path):
    (tmp_path / "cpu").mkdir()
    (tmp_path / "cpu" / "cgroup.procs").write_text("")

    assert cgroups.parent(tmp_path) == tmp_path / "cpu"
    assert cgroups.bounds(tmp_path, 25) == {"cpu.cfs_period_us": "10000", "cpu.cfs_quota_us": "2500"}


def test_a_quarter_of_a_core_in_version_2_hands_on_the_controller(tmp_path):
    (tmp_path / "cgroup.controllers").write_text("cpu io memory\n")
    (tmp_path / "cgroup.subtree_control").write_text("io memory\n")

    assert cgroups.parent(tmp_path) == tmp_path
    assert (tmp_path / "cgroup.subtree_control").read_text() == "+cpu"
    assert cgroups.bounds(tmp_path, 25) == {"cpu.max": "2500 10000"}


def test_a_machine_without_control_groups_says_so(tmp_path):
    with (
        pytest.raises(cgroups.CgroupsUnavailable, match="has no control groups for the CPU"),
        cgroups.group("bench", 25, tmp_path),
    ):
        pass


def test_a_process_runs_in_its_group_and_the_group_is_gone_afterwards():
    try:
        with cgroups.group(f"bench-test-{os.getpid()}", 50) as group:
            command = group.inside(sys.executable, "-c", "sum(range(3_000_000)); print('ready', flush=True); input()")
            process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            try:
                process.stdout.readline()
                inside, seconds = group.processes(), group.cpu_seconds()
            finally:
                process.communicate(b"\n")
    except cgroups.CgroupsUnavailable as error:
        pytest.skip(f"{error}: as root on Linux this is tested")

    assert inside == [process.pid]
    assert seconds > 0
    assert not group.folder.exists()
