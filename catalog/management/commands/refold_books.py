from typing import Any

from django.core.management.base import BaseCommand
from django.db import DEFAULT_DB_ALIAS, connection

from catalog.models import Book, Genre
from catalog.search import trigrams
from catalog.search.refolding import refold_books, refold_genres
from catalog.search.vocabulary import SearchWord


class Command(BaseCommand):
    help = "Fold every title, author and genre again for the search. May run while the shop serves, and be repeated."

    def handle(self, *args: Any, **options: Any) -> None:
        refold_genres(Genre, using=DEFAULT_DB_ALIAS)
        changed = refold_books(Book, SearchWord, using=DEFAULT_DB_ALIAS)
        self.stdout.write(f"Books: {changed} changed.")
        if connection.vendor == "postgresql" and not trigrams.create(connection):
            self.stdout.write(trigrams.ADVICE)
