"""Django's entry in DATABASES for a URL such as DATABASE_URL. The settings read it: it imports no model."""

import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict

from bookstore.database.deadlines import answer_timeout
from bookstore.environment import BadValue, stop

# What hosters put into the URLs that they show, for their own clients.
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
ENCODE = "with / as %2F, ? as %3F, # as %23, @ as %40 and a blank as %20 in user and password"
# After the scheme: what may hold user, password, hosts; the name; the options.
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
    """Django's description of the database that a URL names: `sqlite:///file` or any URL of libpq's.

    The bounds are in seconds; 0 leaves the last two to the server, and an answer is waited for as if it were 5.
    SQLite's writers wait for `statement_timeout`. With `transaction_pooling` nothing is asked of the server that
    outlives a transaction, or that a pooler refuses. A `writable` one is never a standby.
    """
    if url != url.strip() or CONTROLS.search(url):
        raise BadValue("has a blank or a line break at one of its ends, or a character that nobody can see within")
    scheme = url.partition("://")[0]
    if scheme == "sqlite":
        path = url.removeprefix("sqlite:///")
        if path == url or not path:
            raise BadValue("names no file: write sqlite:///relative.sqlite3 or sqlite:////absolute.sqlite3")
        return {
            "ENGINE": "bookstore.database.sqlite",
            "NAME": path if path == ":memory:" else str(Path(path).absolute()),
            "OPTIONS": {
                # Several processes write to one file: take the write lock at BEGIN, where waiting for it is
                # possible, instead of in mid-transaction, where SQLite refuses at once.
                "transaction_mode": "IMMEDIATE",
                "timeout": statement_timeout or 5,
                # FULL: a commit that was answered is on the disk. With NORMAL the last ones go when the power fails.
                "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;",
            },
        }
    if scheme in {"postgres", "postgresql"}:
        check_parts(url)
        try:
            parts = conninfo_to_dict(url)
        except (ProgrammingError, ValueError):  # the latter for bytes that are no UTF-8
            # libpq's text may repeat a part of the URL, and a password with it: neither is it the cause of this one,
            # for a traceback would show it.
            raise BadValue(
                f"is not a URL that PostgreSQL understands: write postgresql://user:password@host:5432/name, {ENCODE}"
            ) from None
        if not parts.get("dbname"):
            raise BadValue("names no database: write postgresql://user:password@host:5432/name")
        if transaction_pooling:
            if "options" in parts:
                raise BadValue(
                    "has `options`, which PgBouncer refuses: "
                    "with DB_TRANSACTION_POOLING=1 give them to the role instead"
                )
            parts["options"] = ""  # not those of PGOPTIONS either
            lock, statement, prepared_statements = 0, 0, False
        else:
            lock, statement = lock_timeout, statement_timeout
            if writable:
                # A server that was demoted, or a standby that a balancer still takes for the primary, would answer
                # with carts of yesterday. libpq looks at what the server says at the start: no statement.
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
                # A network that swallows everything: what was sent and is not acknowledged by then is lost.
                "tcp_user_timeout": 1000 * (statement_timeout or 5),
                # The other end is there, and does not answer: bookstore/database/deadlines.py.
                "answer_timeout": answer_timeout(statement_timeout),
                # An idle connection asks after half a minute whether the other end is there; libpq's two hours are
                # longer than what firewalls remember.
                "keepalives_idle": 30,
                "keepalives_interval": 5,
                "keepalives_count": 3,
                "lock_timeout": 1000 * lock,
                "statement_timeout": 1000 * statement,
                # Values travel beside the SQL, so that PostgreSQL plans a statement once a connection: after this
                # many runs of it.
                "server_side_binding": prepared_statements,
                "prepare_threshold": 3 if prepared_statements else None,
                **parts,
            },
            "CONN_MAX_AGE": None,
            "CONN_HEALTH_CHECKS": True,  # a look at the socket, in bookstore/database/base.py
            "DISABLE_SERVER_SIDE_CURSORS": transaction_pooling,
        }
    # Not named: without a scheme the first word may be anything, a password too.
    raise BadValue("names no database: write postgresql://user:password@host:5432/name or sqlite:///file.sqlite3")


def check_parts(url: str) -> None:
    """Raises BadValue for a URL of PostgreSQL that libpq would cut up wrongly, and then quote a part of.

    A `/`, `?`, `#` or `@` in a password that is not percent-encoded moves the rest of it into the host, the port, the
    name or an option, which messages repeat.
    """
    authority, path, query = AUTHORITY.fullmatch(url.partition("://")[2]).groups("")  # type: ignore[union-attr]  # it matches every text
    account, _, hosts = authority.rpartition("@")
    if "@" in account or "@" in path or "#" in url or "/" in path or " " in url:
        raise BadValue(f"has a character that stands for something else in a URL: write {ENCODE}")
    for host in hosts.split(","):
        if host and not HOST.fullmatch(host):
            raise BadValue(f"names no host and port: write postgresql://user:password@host:5432/name, {ENCODE}")
    for option in query.split("&") if query else ():
        name, sign, value = option.partition("=")
        if not sign or "@" in value or not name.isidentifier():
            raise BadValue(f"has an option that is none (after the question mark): write name=value, {ENCODE}")
        if name in OPTIONS_OF_OTHERS:
            raise BadValue(
                f"has the option {name!r}, which is another program's and not libpq's: leave it out"
                + ("; DB_TRANSACTION_POOLING=1 says that PgBouncer is on the way" if name == "pgbouncer" else "")
            )


def postgresql(url: str, **bounds: Any) -> dict[str, Any]:
    """As `database`, for what SQLite cannot be."""
    if urlsplit(url).scheme == "sqlite":
        raise BadValue("names SQLite: only a postgresql:// URL makes sense here")
    return database(url, **bounds)


def urls(value: str) -> list[str]:
    """URLs of PostgreSQL that are separated by commas. One may name several hosts, which commas separate, too."""
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
