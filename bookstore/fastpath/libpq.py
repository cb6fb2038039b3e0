"""Runs prepared statements with libpq directly.

For the few statements of most requests, the overhead of psycopg and Django (cursor, generators, adapting, look-up of
prepared statements) takes three times as long as sending the statement and reading the rows. Here that is done once for
each connection. Only for single statements outside of transactions; for all others, and while Django logs queries,
`rows` falls back to a cursor, with the same result.
"""

import math
import select
from collections.abc import Callable, Sequence
from functools import partial
from time import monotonic
from typing import Any

import psycopg
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg.adapt import PyFormat, Transformer
from psycopg.pq import ConnStatus, ExecStatus
from psycopg.pq.abc import PGconn, PGresult

from bookstore import fastpath
from bookstore.database import deadlines, is_outdated

Row = tuple[Any, ...]

# Prepared statements of one connection. Clients can choose some hundred combinations of filters, each with its own
# statement, which takes up to some hundred kilobytes in PostgreSQL.
MOST_STATEMENTS = 100

GOOD = (ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK)


def rows(connection: BaseDatabaseWrapper, sql: str, parameters: Sequence[Any], *, spare: int = 0) -> list[Row]:
    """Runs one statement that returns rows, with `%s` for each parameter: one query. A caller with many different
    statements leaves `spare` places for those of others.

    Raises Django's database errors, as a cursor does.
    """
    connection.close_if_health_check_failed()
    connection.ensure_connection()
    if not is_for(connection, sql, spare):
        with connection.cursor() as cursor:
            cursor.execute(sql, parameters)
            return list(cursor.fetchall())
    execute: Any = partial(_execute, connection)
    for wrapper in reversed(connection.execute_wrappers):  # wrappers that measure statements, such as those of /metrics
        execute = partial(wrapper, execute)
    found: list[Row] = execute(sql, parameters, False, {"connection": connection, "cursor": None})
    return found


def is_for(connection: BaseDatabaseWrapper, sql: str, spare: int = 0) -> bool:
    """Whether this connection may prepare statements, is outside of a transaction, and does not log queries.

    False beyond `MOST_STATEMENTS` less `spare`: a cursor runs it, and psycopg evicts its least recently used statement.
    """
    driver = connection.connection
    known = getattr(driver, "quick_statements", ())
    return (
        fastpath.is_on()
        and isinstance(driver, deadlines.Connection)
        and (len(known) < MOST_STATEMENTS - spare or sql in known)
        and driver.prepare_threshold is not None
        and driver.autocommit
        and not connection.in_atomic_block
        and not connection.queries_logged
    )


def _execute(connection: BaseDatabaseWrapper, sql: str, parameters: Sequence[Any], *ignored: Any) -> list[Row]:
    driver = connection.connection
    known: dict[str, Statement] = vars(driver).setdefault("quick_statements", {})
    with connection.wrap_database_errors:
        try:
            if sql not in known:
                known[sql] = Statement(driver, f"quick_{len(known)}", sql, holes=len(parameters))
            return known[sql].rows(parameters)
        except psycopg.Error:
            raise
        except BaseException:  # e.g. Ctrl-C: the pending answer would never be read
            driver.pgconn.finish()
            raise


class Statement:
    """One statement, prepared on one connection."""

    def __init__(self, driver: deadlines.Connection, name: str, sql: str, *, holes: int) -> None:
        """Prepares the statement: one round trip. PostgreSQL infers the types of the parameters."""
        self.driver = driver
        self.pgconn: PGconn = driver.pgconn
        self.encoding = driver.info.encoding
        self.name = name.encode()
        self.transformer = Transformer(driver)
        self.formats = [PyFormat.TEXT] * holes
        self.readable, self.writable = select.poll(), select.poll()
        self.readable.register(self.pgconn.socket, select.POLLIN)
        self.writable.register(self.pgconn.socket, select.POLLOUT)
        self.numbered = (sql % tuple(f"${number}" for number in range(1, holes + 1))).encode()
        self.renamed = 0
        self.send(self.pgconn.send_prepare, self.numbered)

    def rows(self, parameters: Sequence[Any]) -> list[Row]:
        """One round trip. Three after psycopg dropped all prepared statements because of a rollback, or a migration
        changed the result type; in both cases the first try did nothing.
        """
        values = self.transformer.dump_sequence(parameters, self.formats)
        try:
            result = self.send(self.pgconn.send_query_prepared, values)
        except psycopg.errors.InvalidSqlStatementName:
            self.send(self.pgconn.send_prepare, self.numbered)
            result = self.send(self.pgconn.send_query_prepared, values)
        except psycopg.errors.FeatureNotSupported as error:
            if not is_outdated(error):
                raise
            self.rename()
            self.send(self.pgconn.send_prepare, self.numbered)
            result = self.send(self.pgconn.send_query_prepared, values)
        self.transformer.set_pgresult(result)
        return self.transformer.load_rows(0, result.ntuples, tuple)

    def rename(self) -> None:
        """Takes a new name, so that it can be prepared again without a round trip to drop the old one."""
        self.renamed += 1
        self.name = self.name.partition(b"_again_")[0] + f"_again_{self.renamed}".encode()

    def send(self, message: Callable[[bytes, Any], None], content: Any) -> PGresult:
        """Sends one message and returns the result. Raises psycopg's errors; at a timeout closes the connection."""
        seconds = self.driver.seconds_to_answer()
        deadline = monotonic() + seconds
        message(self.name, content)
        answer = None
        while (result := self.result(seconds, deadline)) is not None:
            answer = result
        if answer is None or answer.status not in GOOD:
            raise self.error(answer)
        return answer

    def result(self, seconds: float, deadline: float) -> PGresult | None:
        pgconn = self.pgconn
        while pgconn.flush():
            self.wait_for(self.writable, seconds, deadline)
        while pgconn.is_busy():
            self.wait_for(self.readable, seconds, deadline)
            pgconn.consume_input()
        return pgconn.get_result()

    def wait_for(self, event: select.poll, seconds: float, deadline: float) -> None:
        if not event.poll(None if seconds == math.inf else max(deadline - monotonic(), 0) * 1000):
            raise self.driver.given_up(seconds)

    def error(self, answer: PGresult | None) -> psycopg.Error:
        if answer is None or self.pgconn.status == ConnStatus.BAD:
            return psycopg.OperationalError(self.pgconn.get_error_message(self.encoding))
        return psycopg.errors.error_from_result(answer, encoding=self.encoding)
