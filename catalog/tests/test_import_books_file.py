"""manage.py import_books: what it reads as a file of books, and where it reports."""

import gzip
import os
import re
from io import BytesIO
from types import SimpleNamespace

import pytest
from django.core.management import CommandError

from catalog.importing.files import Spreadsheet
from catalog.models import Book
from catalog.tests.import_command import DRACULA, EMMA, HEADINGS, load, told

pytestmark = pytest.mark.django_db

LONG_LINE = b"title,author,price," + b"x" * 10_000


@pytest.mark.parametrize(
    ("encoding", "end", "lines"),
    [
        ("utf-8", "\n", ["title,author,price", '"L\'Étranger, 1942",Camus,8.50']),
        ("utf-8-sig", "\r\n", ["Title;Author;Price", "L'Étranger, 1942;Camus;8,50"]),
        ("utf-8-sig", "\r\n", ["sep=;", "Title;Author;Price", "L'Étranger, 1942;Camus;8,5"]),
        ("utf-16", "\r\n", ["title\tauthor\tprice", "L'Étranger, 1942\tCamus\t8,50"]),
        ("cp1252", "\r\n", ["title;author;price", "L'Étranger, 1942;Camus;8,50"]),
        ("utf-8", "\n", ["author|price|title|", "Camus|8.50|L'Étranger, 1942|"]),
        ("utf-8", "\r", ["title,author,price", '"L\'Étranger, 1942",Camus,8.50']),
    ],
)
def test_import_books_reads_what_spreadsheets_write(file, encoding, end, lines):
    load(file(*lines, encoding=encoding, end=end))

    book = Book.objects.get()
    assert (book.title, book.author, str(book.price)) == ("L'Étranger, 1942", "Camus", "8.50")


def test_import_books_reports_the_encoding_and_ignored_columns(file):
    output = load(file("title;author;price;shelf;id", "L'Étranger;Camus;8,50;B7;1", encoding="cp1252"))

    assert "Windows-1252, separated by semicolons; columns title, author, price." in output
    assert "Passed over, because no book has them: shelf, id." in output


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", r"is empty: its first line is to name the columns\."),
        (b"\n\n", r"is empty: its first line is to name the columns\."),
        (b"title,author\nEmma,Jane Austen\n", r"lacks the column price: its first line names title, author\."),
        (b"Emma,Jane Austen,12.50\n", "lacks the columns title, author, price: its first line names Emma, "),
        (b"title,author,price,Title\n", "has the column 'title' twice"),
        (b"\x81\x8d\x8f\n", "lacks the columns title, author, price: its first line names "),
        (b"PK\x03\x04\x81\x8d", "is a damaged workbook, or a damaged ZIP archive"),
        (LONG_LINE + b"\nEmma,Jane Austen,1\n", r"has more than 10,000 characters in its first line, "),
        (b"sep=," + LONG_LINE, r"has more than 10,000 characters in its first line, "),
        (b"sep=,\n" + LONG_LINE, r"has more than 10,000 characters in its first line, "),
    ],
)
def test_import_books_refuses_a_file_that_is_no_catalogue(tmp_path, content, message):
    path = tmp_path / "books.csv"
    path.write_bytes(content)

    with pytest.raises(CommandError, match=rf"^{re.escape(str(path))} {message}"):
        load(str(path))


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", ""])
def test_first_line_that_is_just_short_enough_is_read(end):
    columns = "title,author,price,".ljust(10_000 - len(end), "x")
    content = f"{columns}{end}{'Emma,Jane Austen,1' if end else ''}".encode()

    sheet = Spreadsheet(BytesIO(content))

    assert sheet.table.columns[:3] == ["title", "author", "price"]
    assert [line.number for line in sheet] == ([2] if end else [])


def test_import_books_of_a_file_that_is_not_there_is_one_line(tmp_path):
    with pytest.raises(CommandError, match=r"none\.csv cannot be opened: No such file or directory\.$"):
        load(str(tmp_path / "none.csv"))


def test_import_books_without_a_writable_report_loads_nothing(file, tmp_path):
    with pytest.raises(CommandError, match=r"The report .*/none/r\.csv cannot be written: No such file or directory\."):
        load(file(HEADINGS, EMMA), "--report", str(tmp_path / "none" / "r.csv"))

    assert not Book.objects.exists()


def test_import_books_stops_at_a_quotation_mark_that_nobody_closed(file, monkeypatch):
    monkeypatch.setattr("catalog.management.commands.import_books.BATCH", 1)

    with pytest.raises(CommandError, match=r"The file cannot be read from line 3 on: a quotation mark") as caught:
        load(file(HEADINGS, EMMA, '"Dracula,Bram Stoker,9.90,', *["Persuasion,Jane Austen,7.00,"] * 100))

    assert caught.value.returncode == 1
    assert Book.objects.get().title == "Emma"


@pytest.mark.parametrize("link", [None, "symlink_to", "hardlink_to"])
def test_import_books_never_writes_its_report_over_the_file(file, tmp_path, link):
    path = file(HEADINGS, EMMA, DRACULA)
    report = tmp_path / "link.csv" if link else tmp_path / "books.csv"
    if link:
        getattr(report, link)(path)

    with pytest.raises(CommandError, match=r"The report .* is the file that is read: nothing was done\."):
        load(path, "--dry-run", "--report", str(report))

    assert (tmp_path / "books.csv").read_text() == "\n".join([HEADINGS, EMMA, DRACULA, ""])


def test_import_books_reads_what_comes_through_a_pipe(monkeypatch):
    read_end, write_end = os.pipe()
    os.write(write_end, f"{HEADINGS}\n{EMMA}\n".encode())
    os.close(write_end)
    with os.fdopen(read_end, "rb") as pipe:
        monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=pipe, fileno=pipe.fileno))

        output = load("-")

    assert told(output) == "1 added, 0 there already. Rows refused: 0"


def test_import_books_reads_a_file_packed_with_gzip(tmp_path):
    path = tmp_path / "books.csv.gz"
    path.write_bytes(gzip.compress(f"{HEADINGS}\n{EMMA}\n".encode()))

    assert told(load(str(path))) == "1 added, 0 there already. Rows refused: 0"


def test_import_books_reads_gzip_from_a_pipe(monkeypatch):
    read_end, write_end = os.pipe()
    os.write(write_end, gzip.compress(f"{HEADINGS}\n{EMMA}\n".encode()))
    os.close(write_end)
    with os.fdopen(read_end, "rb") as pipe:
        monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=pipe, fileno=pipe.fileno))

        output = load("-")

    assert told(output) == "1 added, 0 there already. Rows refused: 0"


def test_import_books_of_a_damaged_gzip_is_one_line(tmp_path):
    path = tmp_path / "books.csv.gz"
    path.write_bytes(gzip.compress(b"x" * 1000)[:20])

    with pytest.raises(CommandError, match=r"books\.csv\.gz is packed with gzip, and damaged"):
        load(str(path))


def test_import_books_asks_for_the_encoding_where_it_can_be_two(file):
    path = file(HEADINGS, "Tartuffe,Molière,9.90,", encoding="cp1252")

    with pytest.raises(CommandError, match=r"could be Windows-1252 \(“Molière”\) or .* Say it with --encoding: "):
        load(path)
    load(path, "--encoding", "cp1252")

    assert Book.objects.get().author == "Molière"


def test_import_books_says_nothing_that_moves_the_cursor(file):
    with pytest.raises(CommandError) as caught:
        load(file("title\x1b[2J\0,author", "Emma,Jane Austen"))

    assert "title\\u001b[2J\\u0000, author" in str(caught.value)
