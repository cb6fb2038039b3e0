"""The server's own log lines: in the format of all others, without useless advice."""

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import granian.server.mp
from granian.log import LOGGING_CONFIG

from bookstore.server import server_log
from bookstore.settings import LOGGING

CONFIGURATION = json.loads(server_log.CONFIGURATION.read_text())
SAY = """
import json, logging, pathlib, sys
from granian.log import LogLevels, configure_logging
configure_logging(LogLevels.info, json.loads(pathlib.Path(sys.argv[1]).read_text()))
logging.getLogger("_granian").warning("Configuration allows spawning up to 257 Python threads, which seems quite high")
logging.getLogger("_granian").warning("Worker-1 stopped unexpectedly")
"""


def said(log_format):
    done = subprocess.run(
        [sys.executable, "-c", SAY, str(server_log.CONFIGURATION)],
        env={"LOG_FORMAT": log_format, "TZ": "Asia/Tokyo"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == ""
    return done.stderr.splitlines()


def test_the_configuration_has_every_logger_of_granians_own():
    assert CONFIGURATION["loggers"].keys() == LOGGING_CONFIG["loggers"].keys()


def test_the_advice_against_threads_is_left_out_and_nothing_else():
    assert said("text") == ["[WARNING] Worker-1 stopped unexpectedly"]


def test_a_line_in_json_has_the_fields_of_the_applications():
    [line] = said("json")

    fields = json.loads(line)
    assert datetime.now(UTC) - datetime.fromisoformat(f"{fields.pop('time')}+00:00") < timedelta(hours=1)
    assert fields == {"level": "WARNING", "logger": "_granian", "message": "Worker-1 stopped unexpectedly"}
    assert LOGGING["formatters"]["json"]["rename_fields"] == {"asctime": "time", "levelname": "level", "name": "logger"}


def test_the_advice_is_worded_as_the_filter_expects():
    source = Path(granian.server.mp.__file__).read_text(encoding="utf-8")

    assert "Configuration allows spawning up to" in source
