"""How granian's own few lines are written: as the application's. `serve` starts it with server_log.json.

Granian reads it before Django is there: nothing here asks the settings.
"""

import logging
import os
import time
from pathlib import Path
from typing import Any

CONFIGURATION = Path(__file__).with_name("server_log.json")
# What `manage.py serve` sets for it, from the settings.
FORMAT = "LOG_FORMAT"


class Unasked(logging.Filter):
    """Leaves out granian's advice against so many threads: nearly all of them queue, where they only sleep.

    THREADS of them run Python at once, which is what the advice is about (bookstore/server/slots.py).
    """

    def filter(self, record: logging.LogRecord) -> bool:
        return not str(record.msg).startswith("Configuration allows spawning up to")


def formatter(**_: Any) -> logging.Formatter:
    """Text for people, or one JSON object on each line with the fields that the application's lines have."""
    if os.environ.get(FORMAT) == "text":
        return logging.Formatter("[%(levelname)s] %(message)s")
    from pythonjsonlogger.orjson import OrjsonFormatter

    lines = OrjsonFormatter(
        "%(asctime)s %(levelname)s %(name)s %(message)s",
        rename_fields={"asctime": "time", "levelname": "level", "name": "logger"},
    )
    lines.converter = time.gmtime  # as Django's settings make it for the application's lines
    return lines
