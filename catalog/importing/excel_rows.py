"""Reads the rows of an Excel workbook in a child process with bounded memory and time.

A workbook is untrusted: a few kilobytes can unpack to gigabytes, or name a cell a million rows down. The child process
may use MAX_MEMORY and MAX_SECONDS; its memory is freed when it ends.
"""

import json
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, BinaryIO

from catalog.importing.encodings import Unreadable
from catalog.importing.spelling import printable
from catalog.importing.table import RawRow

PROGRAM = Path(__file__).with_name("read_workbook.py")


def is_workbook(file: BinaryIO) -> bool:
    try:
        with zipfile.ZipFile(file) as parts:
            return "xl/workbook.xml" in parts.namelist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        return False
    finally:
        file.seek(0)


class ExcelRows:
    """Iterates over the rows of the first sheet that is not empty. Raises Unreadable; OSError when TMPDIR is full."""

    def __init__(self, file: BinaryIO) -> None:
        with ExitStack() as stack:
            errors = stack.enter_context(tempfile.TemporaryFile())
            copy = stack.enter_context(tempfile.NamedTemporaryFile(suffix=".xlsx"))
            while part := file.read(1 << 20):
                copy.write(part)
            copy.flush()
            self.process = subprocess.Popen(  # noqa: S603  # our own program, and a file name of our own
                [sys.executable, "-I", str(PROGRAM), copy.name], stdout=subprocess.PIPE, stderr=errors
            )
            self.files = stack.pop_all()  # closed in `close`, with the process
        head = self._message()
        if "error" in head:
            self.close()
            raise Unreadable(head["error"])
        self.total: int = max(head["rows"], 1)
        self.hidden_columns: set[int] = set(head["hidden"])  # places in the cells of each row
        self.done: int = 0
        others = ", ".join(printable(name) for name in head["others"])
        self.description = f"Excel workbook, sheet “{printable(head['sheet'])}”" + (
            f" (not read: {others})" if others else ""
        )

    def _message(self) -> Any:
        assert self.process.stdout is not None  # noqa: S101  # stdout=PIPE
        line = self.process.stdout.readline()
        if line:
            return json.loads(line)
        return {"error": "cannot be read as an Excel workbook: it is damaged, or too large"}

    def __iter__(self) -> Iterator[RawRow]:
        while True:
            message = self._message()
            if message is None:
                return
            if "error" in message:
                raise Unreadable(message["error"])
            self.done = message["n"]
            yield RawRow(message["n"], message["c"], message.get("problem", ""), hidden=message["h"])

    @property
    def position(self) -> float:
        return min(self.done / self.total, 1.0)

    def close(self) -> None:
        self.process.kill()
        if self.process.stdout:
            self.process.stdout.close()
        self.process.wait()
        self.files.close()
