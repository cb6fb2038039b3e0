"""Django's SQLite backend with the deadline of a request for all of its statements: `deadlines.left()`.

SQLite's own timeout is per statement, for the write lock, so the waits of several statements add up. Here each
statement waits at most for the time left, and one that computes for longer is interrupted. Both raise OperationalError,
which the API answers with 503.
"""

import sqlite3
from typing import Any

from django.db.backends.sqlite3 import base
from django.db.backends.sqlite3.base import SQLiteCursorWrapper

from bookstore.database import deadlines

# Steps of SQLite's virtual machine between two checks of the clock: about 0.1 ms.
STEPS = 10_000


class Connection(sqlite3.Connection):
    """Waits for a lock for `longest` seconds at most, and not beyond the request's deadline."""

    longest = 5.0
    busy_timeout = -1  # milliseconds, as last set in SQLite

    def wait_no_longer_than_the_request(self) -> None:
        """Runs before each statement. One more statement if less than `longest` is left. Raises OperationalError."""
        seconds = deadlines.left()
        if seconds <= 0:
            raise sqlite3.OperationalError("the request has used up its time")
        milliseconds = int(min(seconds, self.longest) * 1000)
        if milliseconds != self.busy_timeout:
            self.execute(f"PRAGMA busy_timeout = {milliseconds}")
            self.busy_timeout = milliseconds


class BoundedCursor(SQLiteCursorWrapper):
    connection: Connection

    def execute(self, query: Any, params: Any = None) -> Any:
        self.connection.wait_no_longer_than_the_request()
        return super().execute(query, params)

    def executemany(self, query: Any, param_list: Any) -> Any:
        self.connection.wait_no_longer_than_the_request()
        return super().executemany(query, param_list)


class DatabaseWrapper(base.DatabaseWrapper):
    def get_connection_params(self) -> dict[str, Any]:
        return {**super().get_connection_params(), "factory": Connection}

    def get_new_connection(self, conn_params: dict[str, Any]) -> Connection:
        connection: Connection = super().get_new_connection(conn_params)
        connection.longest = float(conn_params.get("timeout", Connection.longest))
        connection.set_progress_handler(lambda: deadlines.left() <= 0, STEPS)
        return connection

    def create_cursor(self, name: str | None = None) -> Any:
        return self.connection.cursor(factory=BoundedCursor)
