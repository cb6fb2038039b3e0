"""A stamp in the database, renewed by each change that a list of books depends on.

`catalogue_state` is a table of one row. On PostgreSQL a trigger gives it another stamp when a transaction commits that
added or deleted a book, or changed a column by which books are found, filtered, sorted or counted. A statement that
reads the stamp beside its rows therefore tells whether an earlier answer (which books are on a page, how many there
are) is still exact. docs/decisions/0029-remembered-pages.md has the reasons.
"""

from collections.abc import Iterable
from typing import Any

# Books are found, filtered, sorted or counted by these columns. Of the stock it matters only whether it is 0.
WATCHED = (
    *("title_folded", "author_folded", "price", "isbn", "genre_id", "publish_date", "created_at", "is_active"),
    *("popularity", "title_spellings", "author_spellings", "(stock_quantity > 0)"),
)

# Once in a transaction: SET LOCAL remembers which one. A random stamp, because a counter would count to the same number
# twice after a failover to a standby that lacked the last transactions.
FUNCTION = """
CREATE FUNCTION catalogue_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('bookstore.catalogue_changed', true) IS DISTINCT FROM txid_current()::text THEN
        INSERT INTO catalogue_state (id, stamp) VALUES (1, gen_random_uuid())
        ON CONFLICT (id) DO UPDATE SET stamp = excluded.stamp;
        PERFORM set_config('bookstore.catalogue_changed', txid_current()::text, true);
    END IF;
    RETURN NULL;
END
$$"""

# Deferred to the commit, so that the row is locked last and for the shortest time, after every lock on a book.
WATCH = """
CREATE CONSTRAINT TRIGGER books_added AFTER INSERT OR DELETE ON books
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION catalogue_changed();
CREATE CONSTRAINT TRIGGER books_changed AFTER UPDATE ON books
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN ({differs}) EXECUTE FUNCTION catalogue_changed();
CREATE TRIGGER books_truncated AFTER TRUNCATE ON books
FOR EACH STATEMENT EXECUTE FUNCTION catalogue_changed()"""

UNWATCH = """
DROP TRIGGER IF EXISTS books_added ON books;
DROP TRIGGER IF EXISTS books_changed ON books;
DROP TRIGGER IF EXISTS books_truncated ON books"""


def watch(schema_editor: Any, columns: Iterable[str]) -> None:
    """For migrations: creates the trigger for changes of these columns. PostgreSQL only; elsewhere it does nothing."""
    if schema_editor.connection.vendor != "postgresql":
        return
    differs = " OR ".join(f"{each_of('OLD', column)} IS DISTINCT FROM {each_of('NEW', column)}" for column in columns)
    schema_editor.execute(UNWATCH)
    schema_editor.execute(WATCH.format(differs=differs))


def each_of(row: str, column: str) -> str:
    return f"({row}.{column[1:]}" if column.startswith("(") else f"{row}.{column}"
