"""Fills the catalogue of the project's database with generated books.

python -m proofs.benchmarks.load_books COUNT [CSV]
"""

import math
import os
import sys
from pathlib import Path
from typing import Any

import django

from proofs.benchmarks import books


def main(count: int, path: Path | None) -> None:
    from django.db import connection

    from catalog.models import Book, Genre
    from catalog.search.vocabulary import SEARCHED, SearchWord

    # Not a line of the models' code for each: a million would take minutes. The folds are what the models would write.
    Genre.objects.bulk_create([Genre(pk=number, name=f"Shelf {number}") for number in range(1, books.GENRES + 1)])

    def prepared(field: Any, value: Any) -> Any:
        return field.get_db_prep_value(value, connection)

    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
        connection.connection.answer_timeout = math.inf
        cursor.execute(
            "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'books' AND indexname LIKE 'ix\\_%'"
        )
        indexes = cursor.fetchall()
        for name, _ in indexes:
            cursor.execute(f"DROP INDEX {name}")
        columns = ", ".join([*books.COLUMNS, *SEARCHED])
        folds = [Book._meta.get_field(name) for name in SEARCHED]
        learnt: set[str] = set()
        with cursor.copy(f"COPY books ({columns}) FROM STDIN") as copy:
            for row in books.generate(count, books.sample(path)):
                book = Book(title=row[0], author=row[1])
                values = [field.pre_save(book, add=True) for field in folds]
                learnt.update(" ".join(filter(None, values)).split())
                copy.write_row((*row, *map(prepared, folds, values)))
        SearchWord.objects.bulk_create([SearchWord(word=word) for word in sorted(learnt)], batch_size=5_000)
        # A catalogue has withdrawn books, and they are not the last ones.
        cursor.execute("UPDATE books SET is_active = false WHERE id % 50 = 7")
        for _, definition in indexes:
            cursor.execute(definition)
        cursor.execute("VACUUM ANALYZE books")
        cursor.execute("VACUUM ANALYZE search_words")


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bookstore.settings")
    django.setup()
    main(int(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) > 2 else None)
