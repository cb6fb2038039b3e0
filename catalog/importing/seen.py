"""Remembers the first line of each book of a file."""

import errno
from hashlib import blake2b


class Seen:
    """Kept in a temporary SQLite file: a million rows would need too much memory."""

    def __init__(self) -> None:
        import sqlite3  # here: 1 MB that a worker on PostgreSQL does not need

        self.full = sqlite3.OperationalError
        self.lines = sqlite3.connect("", check_same_thread=False)
        self.lines.execute("PRAGMA journal_mode=OFF")
        self.lines.execute("CREATE TABLE lines (key BLOB PRIMARY KEY, number INTEGER) WITHOUT ROWID")

    def first(self, *key: object) -> int | None:
        """The line of the first row with this book; None when there was none."""
        found = self.lines.execute("SELECT number FROM lines WHERE key = ?", (self.digest(key),)).fetchone()
        return int(found[0]) if found else None

    def add(self, number: int, *key: object) -> None:
        """Raises OSError when the file's disk is full."""
        try:
            self.lines.execute("INSERT OR IGNORE INTO lines VALUES (?, ?)", (self.digest(key), number))
        except self.full as error:
            raise OSError(errno.ENOSPC, str(error)) from error

    @staticmethod
    def digest(key: tuple[object, ...]) -> bytes:
        return blake2b(repr(key).encode(errors="surrogatepass"), digest_size=16).digest()

    def close(self) -> None:
        self.lines.close()
