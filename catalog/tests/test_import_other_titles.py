"""manage.py import_books --update, with a row that has the ISBN of a book of another title."""

import csv
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from catalog.importing.loader import OTHER_TITLE
from catalog.models import Book

pytestmark = pytest.mark.django_db


@pytest.fixture
def wrong_isbn(tmp_path, emma):
    """A file whose first row has the ISBN of Emma, and whose second is a book of its own."""
    path = tmp_path / "books.csv"
    path.write_text(
        "title,author,price,isbn\nDracula,Bram Stoker,12.25,9780141439587\nIt,Stephen King,8.00,\n", encoding="utf-8"
    )
    return str(path)


def load(path, *options):
    output = StringIO()
    call_command("import_books", path, "--update", *options, stdout=output)
    return output.getvalue()


@pytest.mark.parametrize("options", [(), ("--dry-run",)], ids=["written", "dry run"])
def test_row_of_another_title_is_refused_and_the_others_are_taken(wrong_isbn, emma, tmp_path, options):
    report = tmp_path / "report.csv"

    output = load(wrong_isbn, "--report", str(report), *options)

    emma.refresh_from_db()
    assert (emma.title, emma.author) == ("Emma", "Jane Austen")
    assert Book.objects.filter(title="It").exists() is (not options)
    assert "Books: 1 added, 0 changed, 0 as they were. Rows refused: 1." in output
    with report.open(encoding="utf-8-sig", newline="") as written:
        assert list(csv.reader(written))[1:] == [["2", "refused", "title", "Emma → Dracula", OTHER_TITLE]]


def test_retitle_gives_the_book_the_title_of_the_file(wrong_isbn, emma):
    output = load(wrong_isbn, "--retitle")

    emma.refresh_from_db()
    assert (emma.title, emma.author) == ("Dracula", "Bram Stoker")
    assert "Books: 1 added, 1 changed, 0 as they were. Rows refused: 0." in output
    assert "  line 2: title is 'Emma → Dracula': The book of this ISBN had another title" in output


def test_title_in_other_letters_is_no_other_title(tmp_path, emma):
    path = tmp_path / "books.csv"
    path.write_text("title,author,price,isbn\nEMMA,Jane Austen,9.50,9780141439587\n", encoding="utf-8")

    load(str(path))

    emma.refresh_from_db()
    assert emma.title == "EMMA"


def test_retitle_without_update_is_told(wrong_isbn):
    with pytest.raises(CommandError, match="--retitle is for --update"):
        call_command("import_books", wrong_isbn, "--retitle")
