"""What the summary of `make test` says, read from pytest's report."""

import pytest

from tools.test import Run, counts, environment, in_parallel

REPORT = '<testsuites><testsuite tests="{}" failures="{}" errors="{}" skipped="{}"/></testsuites>'


@pytest.mark.parametrize(
    ("numbers", "code", "words"),
    [
        ((10, 0, 0, 0), 0, "10 passed"),
        ((10, 2, 1, 3), 1, "4 passed, 2 failed, 1 errors, 3 skipped"),
        ((4, 0, 0, 0), 2, "4 passed (interrupted)"),
        ((0, 0, 0, 0), 5, "0 passed (no test was selected)"),
    ],
)
def test_counts_are_those_of_the_report(tmp_path, numbers, code, words):
    report = tmp_path / "report.xml"
    report.write_text(REPORT.format(*numbers))

    assert counts(report, code) == words


@pytest.mark.parametrize("content", [None, "", "<testsuites/>"])
def test_counts_without_a_report_tell_the_exit_code(tmp_path, content):
    report = tmp_path / "report.xml"
    if content is not None:
        report.write_text(content)

    assert counts(report, 4) == "pytest ended with 4 and no report"


def test_run_that_failed_stands_out_in_the_summary():
    run = Run("SQLite 3.45.1", 1, "4 passed, 2 failed", 1.25)

    assert str(run) == "FAILED  SQLite 3.45.1: 4 passed, 2 failed in 1.2 s"


def test_environment_of_a_run_keeps_the_switch_of_the_fast_path(monkeypatch):
    monkeypatch.setenv("FAST_PATH", "0")

    assert environment("sqlite:////tmp/tests.sqlite3")["FAST_PATH"] == "0"


def test_environment_of_a_run_has_none_of_the_developers_settings(monkeypatch):
    monkeypatch.setenv("SHOP_CURRENCY", "EUR")
    monkeypatch.setenv("SECRET_KEY", "the developer's own")
    monkeypatch.setenv("LANG", "de_DE.UTF-8")

    environ = environment("sqlite:////tmp/tests.sqlite3")

    assert environ["DATABASE_URL"] == "sqlite:////tmp/tests.sqlite3"
    assert environ["LANG"] == "de_DE.UTF-8"
    assert not {"SHOP_CURRENCY", "SECRET_KEY"} & environ.keys()


def test_environment_of_a_run_lets_python_keep_its_bytecode(monkeypatch):
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")

    assert environment("sqlite:////tmp/tests.sqlite3")["PYTHONDONTWRITEBYTECODE"] == ""


@pytest.mark.parametrize(
    ("cores", "arguments", "added"),
    [
        (2, [], ["--numprocesses=3", "--dist=loadfile", "--no-loadscope-reorder"]),
        (2, ["-k", "cart"], ["--numprocesses=3", "--dist=loadfile", "--no-loadscope-reorder"]),
        (1, [], []),
        (None, [], []),
        (2, ["-n0"], []),
        (2, ["--pdb"], []),
    ],
)
def test_a_run_has_a_worker_more_than_cores_unless_told(monkeypatch, cores, arguments, added):
    monkeypatch.setattr("os.cpu_count", lambda: cores)

    assert in_parallel(arguments) == added


@pytest.mark.parametrize("waiting", [0, 2])
def test_a_run_has_so_many_workers_more_as_its_tests_wait(monkeypatch, waiting):
    monkeypatch.setattr("os.cpu_count", lambda: 2)

    assert in_parallel([], waiting) == [f"--numprocesses={2 + waiting}", "--dist=loadfile", "--no-loadscope-reorder"]
