"""Django's PostgreSQL backend with timeouts for every wait, a health check without a statement, and short errors."""

import math
import select
from datetime import UTC
from functools import cache, cached_property
from types import TracebackType
from typing import Any

import psycopg
from django.db.backends.postgresql import base
from django.db.backends.postgresql.base import ServerBindingCursor, ServerSideCursor
from django.db.backends.postgresql.schema import DatabaseSchemaEditor
from django.db.utils import DatabaseErrorWrapper
from psycopg.adapt import AdaptersMap
from psycopg.pq import ConnStatus, TransactionStatus
from psycopg.types.datetime import TimestamptzLoader

from bookstore.database import deadlines, is_outdated

# Reads of a socket, after which a connection that still has data is closed.
READS = 10


@cache
def with_times_in_utc(adapters: AdaptersMap) -> AdaptersMap:
    """Registers psycopg's loader of times, which is written in C; Django's, for any time zone, is written in Python."""
    extended = AdaptersMap(adapters)
    extended.register_loader("timestamptz", TimestamptzLoader)
    return extended


class TerseErrors(DatabaseErrorWrapper):
    """Keeps only the first line of the server's message: its DETAIL has values of the row, which tracebacks would show.

    The fields for code, such as the constraint's name and the SQLSTATE, stay in the error's `diag`.
    """

    def __exit__(
        self, exc_type: type[BaseException] | None, exc_value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if isinstance(exc_value, psycopg.Error) and exc_value.diag.message_primary:
            exc_value.args = (exc_value.diag.message_primary,)
        super().__exit__(exc_type, exc_value, traceback)


class CurrentCursor(ServerBindingCursor, psycopg.Cursor[Any]):  # the stubs do not know that it is one
    """Prepares a statement again after a migration changed its result type; psycopg would keep the outdated one.

    After a failed transaction psycopg drops its prepared statements by itself.
    """

    def execute(self, query: Any, params: Any = None, **options: Any) -> Any:
        try:
            return super().execute(query, params, **options)
        except psycopg.errors.FeatureNotSupported as error:
            connection = self.connection
            if not is_outdated(error) or connection.pgconn.transaction_status != TransactionStatus.IDLE:
                raise
            connection._prepared.clear()  # there is no public name for it
            return super().execute(query, params, **options)


class PatientSchemaEditor(DatabaseSchemaEditor):
    """Migrations have no statement_timeout, but keep `lock_timeout`, so that requests do not queue behind their locks.

    A migration that does not get its lock fails as a whole; run it again. One without a transaction (CREATE INDEX
    CONCURRENTLY) blocks no other statement and has no lock_timeout.
    """

    def __enter__(self) -> Any:
        entered = super().__enter__()
        names = ["statement_timeout"] if self.atomic_migration else ["statement_timeout", "lock_timeout"]
        if not self.collect_sql:
            local = "LOCAL" if self.atomic_migration else "SESSION"
            with self.connection.cursor() as cursor:
                for name in names:
                    cursor.execute(f"SET {local} {name} = 0")
            self.patient = self.connection.connection
            self.usual_timeout, self.patient.answer_timeout = self.patient.answer_timeout, math.inf
        return entered

    def __exit__(self, exc_type: Any, exc_value: Any, traceback: Any) -> None:
        try:
            super().__exit__(exc_type, exc_value, traceback)
        except BaseException as error:
            # Django adds foreign keys here, and where one fails (a lock that is not had) leaves the transaction open.
            if exc_type is None and self.atomic_migration and self.connection.in_atomic_block:
                self.atomic.__exit__(type(error), error, error.__traceback__)
            raise
        finally:
            if not self.collect_sql:
                self.patient.answer_timeout = self.usual_timeout
            if not self.collect_sql and not self.atomic_migration and self.connection.is_usable():
                self.connection.set_timeouts(self.connection.connection)  # type: ignore[attr-defined]  # our DatabaseWrapper, below


class DatabaseWrapper(base.DatabaseWrapper):
    Database = deadlines.driver  # type: ignore[assignment]  # its names, with connections that give up
    SchemaEditorClass = PatientSchemaEditor

    def get_connection_params(self) -> dict[str, Any]:
        """Removes our own options, which libpq does not know."""
        parameters: dict[str, Any] = super().get_connection_params()
        for name in ("lock_timeout", "statement_timeout"):
            parameters.pop(name, None)
        if parameters["cursor_factory"] is ServerBindingCursor:  # otherwise nothing is prepared
            parameters["cursor_factory"] = CurrentCursor
        if self.timezone == UTC:
            parameters["context"] = with_times_in_utc(parameters["context"])
        return parameters

    def create_cursor(self, name: str | None = None) -> Any:
        """Skips Django's method, which would register its loader of times on each cursor."""
        if self.timezone != UTC:
            return super().create_cursor(name)
        if not name:
            return self.connection.cursor()
        options = {"name": name, "scrollable": False, "withhold": self.connection.autocommit}
        if self.settings_dict["OPTIONS"].get("server_side_binding") is True:
            return self.connection.cursor(**options)
        return ServerSideCursor(self.connection, **options)  # type: ignore[call-arg]  # a mixin, to the stubs

    def _configure_connection(self, connection: Any) -> bool:
        return self.set_timeouts(connection) or bool(super()._configure_connection(connection))  # type: ignore[misc]  # the stubs lack it

    def set_timeouts(self, connection: Any) -> bool:
        """Sets both timeouts with one statement for each new connection; none when both are 0, as behind a pooler.

        Not by startup parameters, which PgBouncer refuses.
        """
        options = self.settings_dict["OPTIONS"]
        wanted = {name: int(options.get(name, 0)) for name in ("lock_timeout", "statement_timeout")}
        if not any(wanted.values()):
            return False
        with connection.cursor() as cursor:
            cursor.execute("; ".join(f"SET {name} = {milliseconds}" for name, milliseconds in wanted.items()))
        return True

    def is_usable(self) -> bool:
        """Polls the socket, where Django would send `SELECT 1` with every request.

        Detects a connection that the server closed between two requests. If it is closed during a request, that request
        fails, because it is unknown whether its commit succeeded.
        """
        connection = self.connection
        if connection is None or connection.closed:
            return False
        link = connection.pgconn
        try:
            poll = select.poll()
            poll.register(link.socket, select.POLLIN)
            for _ in range(READS):
                if not poll.poll(0):
                    return bool(link.status == ConnStatus.OK and link.transaction_status != TransactionStatus.UNKNOWN)
                link.consume_input()
        except (psycopg.Error, OSError, ValueError):
            return False
        return False

    @cached_property
    def wrap_database_errors(self) -> TerseErrors:
        return TerseErrors(self)
