"""manage.py import_books, batch by batch: interrupted, beside others, and at what cost."""

import re
from io import StringIO
from threading import Event

import pytest
from django.core.management import CommandError
from django.db import OperationalError, connection, transaction

from catalog.importing import loader as loading
from catalog.importing.loader import Loader
from catalog.importing.rows import read_row
from catalog.models import Book, Genre
from catalog.querysets import GenreQuerySet
from catalog.tests.import_command import DRACULA, EMMA, HEADINGS, load, told
from tests.support.racing import WAIT, answer_beside

pytestmark = pytest.mark.django_db


def test_genre_deleted_just_after_it_was_made_is_made_again(file, monkeypatch):
    real = GenreQuerySet.bulk_create
    calls: list[int] = []

    def deleted_at_once(self, genres, **options):
        made = real(self, genres, **options)
        calls.append(1)
        if len(calls) == 1:
            Genre.objects.all().delete()
        return made

    monkeypatch.setattr(GenreQuerySet, "bulk_create", deleted_at_once)

    load(file("title,author,price,genre", "Emma,Jane Austen,5,Novel"))

    assert Book.objects.get().genre.name == "Novel"


@pytest.mark.parametrize(
    ("error", "message", "code"),
    [
        (KeyboardInterrupt(), r"Interrupted after line 2: what is counted above is kept", 130),
        (OperationalError("server closed\nit did"), r"The database failed after line 2 \(server closed\)", 1),
    ],
)
def test_import_books_interrupted_keeps_whole_batches_and_goes_on(file, monkeypatch, error, message, code):
    monkeypatch.setattr("catalog.management.commands.import_books.BATCH", 1)
    path = file(HEADINGS, EMMA, DRACULA)
    real = Loader.load_as_shown
    calls: list[int] = []

    def interrupted(self, rows, confirmed):
        calls.append(1)
        if len(calls) == 2:
            with transaction.atomic():
                real(self, rows, confirmed)
                raise error
        return real(self, rows, confirmed)

    monkeypatch.setattr(Loader, "load_as_shown", interrupted)

    with pytest.raises(CommandError, match=message) as caught:
        load(path)
    kept = list(Book.objects.values_list("title", flat=True))
    output = load(path)

    assert caught.value.returncode == code
    assert kept == ["Emma"]
    assert told(output) == "1 added, 1 there already. Rows refused: 0"


def test_import_books_finds_a_book_that_somebody_adds_meanwhile(file, monkeypatch):
    real = loading.Known
    looks: list[int] = []

    class Raced(real):
        def __init__(self, rows, seen, meant, *, lock):
            super().__init__(rows, seen, meant, lock=lock)
            looks.append(1)
            if len(looks) == 1:  # the look came a moment too early
                self.by_isbn.clear()

    monkeypatch.setattr(loading, "Known", Raced)
    Book.objects.add(title="Emma", author="Jane Austen", price="3.00", isbn="9780141439587")

    output = load(file(HEADINGS, EMMA, DRACULA))

    assert told(output) == "1 added, 1 there already. Rows refused: 0"
    assert str(Book.objects.get(title="Emma").price) == "3.00"


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_batches_of_two_imports_take_turns_and_add_no_book_twice():
    rows = [
        (number, read_row({"title": f"Volume {number}", "author": "Jane Austen", "price": "5"})) for number in (2, 3)
    ]

    def load_them(**options):
        with Loader(**options) as loader:
            loader.load(rows)
            return loader.counts

    counts = answer_beside(load_them, load_them)

    assert (counts.added, counts.same) == (0, 2)
    assert Book.objects.count() == 2


@pytest.mark.postgres
@pytest.mark.own_session
@pytest.mark.django_db(transaction=True)
def test_import_that_waits_longer_than_for_a_lock_tries_again(monkeypatch):
    rows = [(2, read_row({"title": "Emma", "author": "Jane Austen", "price": "5"}))]
    waited_too_long, met = Event(), loading.met_another_writer

    def notice(error):
        waited_too_long.set()
        return met(error)

    monkeypatch.setattr(loading, "met_another_writer", notice)

    def load_them():
        with Loader() as loader:
            loader.load(rows)
            return loader.counts

    def load_impatiently():
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '1s'")
        return load_them()

    counts = answer_beside(load_them, load_impatiently, then=lambda: waited_too_long.wait(WAIT))

    assert waited_too_long.is_set()
    assert (counts.added, counts.same) == (0, 1)


def test_loading_a_batch_takes_a_constant_number_of_queries(django_assert_num_queries):
    def rows(count, start):
        return [
            (number, read_row({"title": f"Volume {number}", "author": "Jane Austen", "price": "5", "genre": "Novel"}))
            for number in range(start, start + count)
        ]

    with Loader() as loader:
        loader.load(rows(1, 2))
        for count, start in ((1, 100), (30, 200)):
            # Savepoint, genres, books, INSERT, its words, release; on PostgreSQL the turn.
            with django_assert_num_queries(7 if connection.vendor == "postgresql" else 6):
                loader.load(rows(count, start))


def test_loading_keeps_no_log_of_its_statements(file, settings):
    settings.DEBUG = True

    load(file(HEADINGS, EMMA, DRACULA))

    assert len(connection.queries_log) == 0


def test_import_books_draws_its_progress_on_a_terminal_only(file, monkeypatch):
    class Terminal(StringIO):
        def isatty(self):
            return True

    terminal, pipe = Terminal(), StringIO()
    path = file(HEADINGS, EMMA, DRACULA)

    monkeypatch.setattr("sys.stderr", pipe)
    load(path)
    monkeypatch.setattr("sys.stderr", terminal)
    load(path)

    assert pipe.getvalue() == ""
    assert re.search(r"\r\[#{30}\] 100%  2 rows  [0-9,]+/s", terminal.getvalue())
