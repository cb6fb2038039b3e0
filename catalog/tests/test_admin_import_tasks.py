"""/admin/catalog/book/import/: read and loaded by tasks, beside other imports, and pruned."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import OperationalError, connection, transaction
from django.db.models import QuerySet
from psycopg.errors import LockNotAvailable

from bookstore.audit.actor import Actor
from bookstore.audit.models import Channel
from bookstore.tasks.worker import run_waiting
from catalog.importing import steps, tasks
from catalog.importing.history import History
from catalog.importing.loader import Loader
from catalog.importing.rows import read_row
from catalog.importing.staged import BookImport
from catalog.models import Book
from catalog.tests.import_pages import IMPORT, TWO_BAD_ROWS, confirm, counts, faults, told, upload
from tests.support.racing import answer_beside

pytestmark = pytest.mark.django_db


def test_import_that_another_one_holds_up_is_told(staff, emma):
    first, second = upload(staff, TWO_BAD_ROWS), upload(staff, TWO_BAD_ROWS)
    bob = Actor("bob@example.com", 1, Channel.ADMIN)
    assert steps.confirm(first.context["shown"], bob, first.context["shown"].reader, retitle=False) == ""

    response = confirm(staff, second)

    assert told(response) == [
        "Nothing was imported: another import is being loaded: confirm this one when it has ended."
    ]


def test_import_whose_worker_died_goes_on_where_it_was(staff, monkeypatch):
    monkeypatch.setattr(steps, "BATCH", 1)
    preview = upload(staff, "title,author,price\nEmma,Jane Austen,1\nPersuasion,Jane Austen,1\nIt,King,1\n")
    real, calls = steps.load_batch, []

    def dies_after_one(*args):
        if calls:
            raise KeyboardInterrupt
        calls.append(1)
        real(*args)

    monkeypatch.setattr(steps, "load_batch", dies_after_one)
    with pytest.raises(KeyboardInterrupt):
        confirm(staff, preview)
    kept = list(Book.objects.values_list("title", flat=True))
    monkeypatch.setattr(steps, "load_batch", real)

    confirm(staff, preview)
    run_waiting()

    assert kept == ["Emma"]
    assert list(Book.objects.order_by("id").values_list("title", flat=True)) == ["Emma", "Persuasion", "It"]
    assert BookImport.objects.get().state == "done"


def test_batch_that_is_tried_again_is_compared_with_the_preview(staff, emma, monkeypatch):
    preview = upload(staff, TWO_BAD_ROWS)
    emma.change(price=Decimal("10.00"))
    write, tries = History.write, []

    def busy_at_first(history, done):
        tries.append(1)
        if len(tries) == 1:
            raise OperationalError from LockNotAvailable()
        write(history, done)

    monkeypatch.setattr(History, "write", busy_at_first)

    response = confirm(staff, preview)

    assert (len(tries), faults(response)[0]) == (
        2,
        (3, "Price", "10.00", "It was 9.50 in the preview, and somebody has changed it since."),
    )


def test_large_file_is_read_and_loaded_by_the_task(staff, monkeypatch):
    monkeypatch.setattr(tasks, "FEW_ROWS", 1)
    key = upload(staff, "title,author,price\nEmma,Jane Austen,1\nIt,King,1\n").context["shown"].pk
    being_read = staff.get(f"{IMPORT}{key}/")
    run_waiting()
    shown = staff.get(f"{IMPORT}{key}/")
    being_loaded = confirm(staff, shown)
    run_waiting()
    done = staff.get(f"{IMPORT}{key}/")

    assert [response.context["shown"].state for response in (being_read, shown, being_loaded, done)] == [
        *("reading", "shown", "loading", "done")
    ]
    assert 'http-equiv="refresh"' in being_read.content.decode()
    assert (counts(shown), counts(done)) == ({"new": 2}, {"new": 2})
    assert sorted(Book.objects.values_list("title", flat=True)) == ["Emma", "It"]


def test_import_that_is_read_by_two_has_each_row_once(staff, monkeypatch):
    monkeypatch.setattr(steps, "BATCH", 1)
    monkeypatch.setattr(tasks, "FEW_ROWS", 0)
    upload(staff, "title,author,price\nEmma,Jane Austen,1\nIt,King,1\n")
    real = steps.batches

    def another_reads_it_after_one_batch(sheet):
        monkeypatch.setattr(steps, "batches", real)
        lines = real(sheet)
        yield next(lines)
        assert steps.read(BookImport.objects.get())
        yield from lines

    monkeypatch.setattr(steps, "batches", another_reads_it_after_one_batch)
    steps.read(BookImport.objects.get())

    shown = BookImport.objects.get()
    assert (shown.state, [row.title for row in shown.each_row()]) == ("shown", ["Emma", "It"])


def test_cancelled_import_is_not_read(staff, monkeypatch):
    monkeypatch.setattr(tasks, "FEW_ROWS", 0)
    key = upload(staff, "title,author,price\nEmma,Jane Austen,1\n").context["shown"].pk
    staff.post(f"{IMPORT}{key}/cancel/")

    run_waiting()

    assert (BookImport.objects.get().state, BookImport.objects.get().batches.count()) == ("cancelled", 0)


def test_import_cancelled_in_the_middle_tells_how_much_it_imported(staff, monkeypatch):
    monkeypatch.setattr(steps, "BATCH", 1)
    preview = upload(staff, "title,author,price\nEmma,Jane Austen,1\nPersuasion,Jane Austen,1\nIt,King,1\n")
    key, real = preview.context["shown"].pk, steps.load_batch

    def another_cancels_after_one_batch(*args):
        real(*args)
        steps.cancel(BookImport.objects.get())

    monkeypatch.setattr(steps, "load_batch", another_cancels_after_one_batch)
    confirm(staff, preview)

    page = staff.get(f"{IMPORT}{key}/").content.decode()
    assert "Before that, 1 book was imported, and stays. The numbers below are of the file" in page
    assert list(Book.objects.values_list("title", flat=True)) == ["Emma"]


def test_import_cancelled_before_it_began_says_so(staff):
    key = upload(staff, "title,author,price\nEmma,Jane Austen,1\n").context["shown"].pk

    staff.post(f"{IMPORT}{key}/cancel/")

    assert "<strong>Cancelled.</strong> Nothing was imported." in staff.get(f"{IMPORT}{key}/").content.decode()


def test_file_is_deleted_once_it_is_imported_and_its_rows_stay(staff):
    preview = upload(staff, "title,author,price\nEmma,Jane Austen,1\n")
    confirm(staff, preview)

    done = BookImport.objects.get()
    assert (done.state, done.parts.count(), [row.title for row in done.each_row()]) == ("done", 0, ["Emma"])


def test_imports_are_pruned_when_they_are_old(staff):
    upload(staff, "title,author,price\nEmma,Jane Austen,1\n")
    BookImport.objects.update(created_at=BookImport.objects.get().created_at - timedelta(days=8))

    assert (BookImport.objects.prune(), BookImport.objects.count()) == (1, 0)


def test_imports_are_pruned_one_by_one_and_a_few_by_an_upload(staff, monkeypatch):
    for title in ("Emma", "Dracula", "Kim", "Ulysses"):
        upload(staff, f"title,author,price\n{title},Somebody,1\n")
    BookImport.objects.update(created_at=BookImport.objects.first().created_at - timedelta(days=8))

    upload(staff, "title,author,price\nPersuasion,Jane Austen,1\n")
    after_upload = BookImport.objects.count()
    delete = QuerySet.delete
    monkeypatch.setattr(
        QuerySet, "delete", lambda rows: delete(rows) if BookImport.objects.old().count() > 1 else 1 / 0
    )
    with pytest.raises(ZeroDivisionError):
        BookImport.objects.prune()

    assert (after_upload, BookImport.objects.count()) == (3, 2)


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_import_that_somebody_else_has_locked_is_not_waited_for(staff):
    for title in ("Emma", "Kim"):
        upload(staff, f"title,author,price\n{title},Somebody,1\n")
    BookImport.objects.update(created_at=BookImport.objects.first().created_at - timedelta(days=8))

    def prune():
        with closing(connection):
            return BookImport.objects.prune()

    with transaction.atomic(), ThreadPoolExecutor(1) as pool:
        locked = BookImport.objects.order_by("pk").select_for_update()[0]
        pruned = pool.submit(prune).result()

    assert (pruned, list(BookImport.objects.all())) == (1, [locked])


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_import_waits_for_another_one_so_that_no_book_is_added_twice(staff):
    preview = upload(staff, "title,author,price\nEmma,Jane Austen,9.50\n")
    row = read_row({"title": "Emma", "author": "Jane Austen", "price": "9.50"})

    def load():
        with Loader() as loader:
            loader.load([(2, row)])

    response = answer_beside(load, lambda: confirm(staff, preview))

    assert told(response) == ["Imported: 1 refused."]
    assert Book.objects.count() == 1


@pytest.mark.postgres
def test_import_locks_the_books_it_may_change_and_preview_none(staff, emma, django_assert_max_num_queries):
    def locked(queries):
        return [query["sql"] for query in queries if "FOR NO KEY UPDATE" in query["sql"] and '"books"' in query["sql"]]

    with django_assert_max_num_queries(40) as looked:
        preview = upload(staff, TWO_BAD_ROWS)
    with django_assert_max_num_queries(60) as done:
        confirm(staff, preview)

    assert locked(looked) == []
    assert len(locked(done)) == 1
