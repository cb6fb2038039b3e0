"""The format of granian's own log lines, the same as the application's. `serve` starts granian with server_log.json.

Granian loads it before Django: nothing here may import the settings.
"""

import logging
import os
import time
from pathlib import Path
from typing import Any

CONFIGURATION = Path(__file__).with_name("server_log.json")
# The variable that `manage.py serve` sets from the settings.
FORMAT = "LOG_FORMAT"


class Unasked(logging.Filter):
    """Drops granian's warning about many threads: nearly all of them sleep in the queue.

    Only THREADS of them run Python at once, which the warning is about (bookstore/server/slots.py).
    """

    def filter(self, record: logging.LogRecord) -> bool:
        return not str(record.msg).startswith("Configuration allows spawning up to")


def formatter(**_: Any) -> logging.Formatter:
    """Text, or one JSON object on each line with the fields of the application's lines."""
    if os.environ.get(FORMAT) == "text":
        return logging.Formatter("[%(levelname)s] %(message)s")
    from pythonjsonlogger.orjson import OrjsonFormatter

    lines = OrjsonFormatter(
        "%(asctime)s %(levelname)s %(name)s %(message)s",
        rename_fields={"asctime": "time", "levelname": "level", "name": "logger"},
    )
    lines.converter = time.gmtime  # as Django's settings make it for the application's lines
    return lines
