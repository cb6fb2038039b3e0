"""Makes Django's entry in DATABASES from a URL. The settings import it: it imports no model."""

import re
from pathlib import Path
from typing import Any

from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict

from bookstore.database.deadlines import answer_timeout
from bookstore.environment import BadValue, stop

# Options that hosting services put into their URLs for other clients.
OPTIONS_OF_OTHERS = frozenset(
    {
        "pgbouncer",
        "schema",
        "connection_limit",
        "pool_timeout",
        "sslaccept",
        "serverVersion",
        "charset",
        "ssl",
        "pooling",
    }
)
ENCODE = "/ as %2F, ? as %3F, # as %23, @ as %40 and a blank as %20 in user and password"
# After the scheme: user, password and hosts; the name; the options.
AUTHORITY = re.compile(r"([^/?]*)(?:/([^?]*))?(?:\?(.*))?", re.DOTALL)
HOST = re.compile(r"(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]|(?:%2[Ff][A-Za-z0-9._/%-]*))?(?::[0-9]{1,5})?", re.ASCII)
CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060\ufeff]")


def database(
    url: str,
    *,
    connect_timeout: int = 2,
    lock_timeout: int = 2,
    statement_timeout: int = 5,
    prepared_statements: bool = True,
    transaction_pooling: bool = False,
    writable: bool = True,
) -> dict[str, Any]:
    """The entry for `sqlite:///file` or any URL of libpq.

    Timeouts are in seconds; with 0 the server's own hold for locks and statements, and the client waits for an answer
    as with 5. SQLite's writers wait for `statement_timeout`. `transaction_pooling` sets nothing that outlives a
    transaction or that a pooler refuses. `writable` refuses a standby.
    """
    if url != url.strip() or CONTROLS.search(url):
        raise BadValue("begins or ends with a blank or a line break, or has an invisible character")
    scheme = url.partition("://")[0]
    if scheme == "sqlite":
        path = url.removeprefix("sqlite:///")
        if path == url or not path:
            raise BadValue("names no file: write sqlite:///relative.sqlite3 or sqlite:////absolute.sqlite3")
        return {
            "ENGINE": "bookstore.database.sqlite",
            "NAME": path if path == ":memory:" else str(Path(path).absolute()),
            "OPTIONS": {
                # Takes the write lock at BEGIN, where SQLite waits for it. In the middle of a transaction SQLite would
                # raise at once.
                "transaction_mode": "IMMEDIATE",
                "timeout": statement_timeout or 5,
                # FULL: a commit is on the disk before it returns. With NORMAL a power failure loses the last ones.
                "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;",
            },
        }
    if scheme in {"postgres", "postgresql"}:
        check_parts(url)
        try:
            parts = conninfo_to_dict(url)
        except (ProgrammingError, ValueError):  # ValueError for bytes that are not UTF-8
            # libpq's message may contain a part of the password. It must not be the cause of this error either, because
            # a traceback would show it.
            raise BadValue(
                "is not a URL that PostgreSQL understands: write postgresql://user:password@host:5432/name, with "
                f"{ENCODE}"
            ) from None
        if not parts.get("dbname"):
            raise BadValue("names no database: write postgresql://user:password@host:5432/name")
        if transaction_pooling:
            if "options" in parts:
                raise BadValue(
                    "has `options`, which PgBouncer refuses: "
                    "with DB_TRANSACTION_POOLING=1 give them to the role instead"
                )
            parts["options"] = ""  # also overrides PGOPTIONS
            lock, statement, prepared_statements = 0, 0, False
        else:
            lock, statement = lock_timeout, statement_timeout
            if writable:
                # A demoted server, or a standby behind a balancer, would return outdated carts. libpq checks a
                # parameter that the server sends at the start: no statement.
                parts.setdefault("target_session_attrs", "primary")
        return {
            "ENGINE": "bookstore.database",
            "NAME": parts.pop("dbname"),
            "USER": parts.pop("user", ""),
            "PASSWORD": parts.pop("password", ""),
            "HOST": parts.pop("host", ""),
            "PORT": parts.pop("port", ""),
            "OPTIONS": {
                "connect_timeout": connect_timeout,
                # For a network that drops packets: milliseconds until sent data must be acknowledged.
                "tcp_user_timeout": 1000 * (statement_timeout or 5),
                # For a server that does not answer: bookstore/database/deadlines.py.
                "answer_timeout": answer_timeout(statement_timeout),
                # Seconds. The default of two hours is longer than firewalls keep idle connections.
                "keepalives_idle": 30,
                "keepalives_interval": 5,
                "keepalives_count": 3,
                "lock_timeout": 1000 * lock,
                "statement_timeout": 1000 * statement,
                # Parameters are sent separately from the SQL, so that a statement can be prepared: after this many runs
                # on a connection.
                "server_side_binding": prepared_statements,
                "prepare_threshold": 3 if prepared_statements else None,
                **parts,
            },
            "CONN_MAX_AGE": None,
            "CONN_HEALTH_CHECKS": True,  # polls the socket: bookstore/database/base.py
            "DISABLE_SERVER_SIDE_CURSORS": transaction_pooling,
        }
    # Without the value: it may contain a password.
    raise BadValue("names no database: write postgresql://user:password@host:5432/name or sqlite:///file.sqlite3")


def check_parts(url: str) -> None:
    """Raises BadValue for a PostgreSQL URL that libpq would split wrongly.

    An unencoded `/`, `?`, `#` or `@` in a password would move the rest of it into the host, port, name or an option,
    which error messages contain.
    """
    authority, path, query = AUTHORITY.fullmatch(url.partition("://")[2]).groups("")  # type: ignore[union-attr]  # it matches every text
    account, _, hosts = authority.rpartition("@")
    if "@" in account or "@" in path or "#" in url or "/" in path or " " in url:
        raise BadValue(f"has a character that means something else in a URL: write {ENCODE}")
    for host in hosts.split(","):
        if host and not HOST.fullmatch(host):
            raise BadValue(f"names no host and port: write postgresql://user:password@host:5432/name, with {ENCODE}")
    for option in query.split("&") if query else ():
        name, sign, value = option.partition("=")
        if not sign or "@" in value or not name.isidentifier():
            raise BadValue(f"has a malformed option after the question mark: write name=value, with {ENCODE}")
        if name in OPTIONS_OF_OTHERS:
            raise BadValue(
                f"has the option {name!r}, which libpq does not know: leave it out"
                + ("; set DB_TRANSACTION_POOLING=1 for PgBouncer" if name == "pgbouncer" else "")
            )


def postgresql(url: str, **bounds: Any) -> dict[str, Any]:
    """As `database`, but refuses SQLite."""
    if url.partition("://")[0] == "sqlite":
        raise BadValue("names SQLite: only a postgresql:// URL makes sense here")
    return database(url, **bounds)


def replicas(value: str, **bounds: Any) -> list[dict[str, Any]]:
    """An entry for each replica: PostgreSQL, which may be a standby."""
    return [postgresql(url, writable=False, **bounds) for url in urls(value)]


def urls(value: str) -> list[str]:
    """Splits PostgreSQL URLs at commas. A URL may itself have several hosts, separated by commas."""
    return [url.strip() for url in re.split(r",(?=\s*\w+://)", value) if url.strip()]


def check_together(
    primary: dict[str, Any], *, direct: dict[str, Any], replicas: list[dict[str, Any]], pooling: bool
) -> None:
    """Stops the start when DATABASE_URL and the settings beside it contradict each other."""
    if primary["ENGINE"] != "bookstore.database":
        if replicas:
            stop("DATABASE_REPLICA_URLS", "is set, but DATABASE_URL names SQLite, which has no replicas")
        if pooling or direct:
            named = "DB_TRANSACTION_POOLING" if pooling else "DATABASE_DIRECT_URL"
            stop(named, "is set, but DATABASE_URL names SQLite, which has no pooler")
    elif direct and direct["NAME"] != primary["NAME"]:
        stop(
            "DATABASE_DIRECT_URL",
            f"names the database {direct['NAME']!r} and DATABASE_URL {primary['NAME']!r}: "
            "they are two ways to one database, so give it one name in the pooler and in PostgreSQL",
        )
