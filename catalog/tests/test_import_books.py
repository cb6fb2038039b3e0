"""manage.py import_books"""

import csv
import gzip
import os
import random
import re
import time
from datetime import timedelta
from io import BytesIO, StringIO
from types import SimpleNamespace

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection, transaction

from catalog.importing import loader as loading
from catalog.importing.files import Spreadsheet
from catalog.importing.loader import Loader
from catalog.importing.rows import read_row
from catalog.importing.staged import HeadingChoice
from catalog.models import Book, Genre
from catalog.querysets import GenreQuerySet
from tests.support.racing import answer_beside

pytestmark = pytest.mark.django_db

EMMA = "Emma,Jane Austen,12.50,0141439580"
DRACULA = "Dracula,Bram Stoker,9.90,"
HEADINGS = "title,author,price,isbn"
LONG_LINE = b"title,author,price," + b"x" * 10_000


@pytest.fixture
def file(tmp_path):
    """Writes lines to a file, and gives its path."""

    def write(*lines, encoding="utf-8", end="\n"):
        path = tmp_path / "books.csv"
        path.write_bytes(end.join([*lines, ""]).encode(encoding))
        return str(path)

    return write


def load(path, *options):
    output = StringIO()
    call_command("import_books", path, *options, stdout=output)
    return output.getvalue()


def told(output):
    """The sentences with the numbers, without the seconds."""
    [sentence] = re.findall(r"^Books: (.*)\. It took [0-9.]+ s\.$", output, flags=re.MULTILINE)
    return sentence


def everything():
    return list(Book.objects.order_by("id").values()), list(Genre.objects.order_by("id").values())


def test_import_books_adds_every_row_with_all_its_columns(file):
    path = file(
        "isbn,title,author,price,genre,description,cover_image_url,publish_date,stock_quantity,is_active",
        '0141439580,Emma,Jane Austen,12.50,Novel,"Clever, wealthy",https://covers.example/1.jpg,1815-12-23,29,yes',
        ",Dracula,Bram Stoker,9.90,novel,,,1897,,no",
    )

    output = load(path)

    emma, dracula = Book.objects.order_by("id").select_related("genre")
    assert (emma.title, emma.author, str(emma.price), emma.isbn, emma.genre.name, emma.description) == (
        *("Emma", "Jane Austen", "12.50", "9780141439587"),
        *("Novel", "Clever, wealthy"),
    )
    assert (emma.cover_image_url, str(emma.publish_date), emma.stock_quantity, emma.is_active) == (
        *("https://covers.example/1.jpg", "1815-12-23"),
        *(29, True),
    )
    assert (dracula.isbn, dracula.genre, str(dracula.publish_date), dracula.stock_quantity, dracula.is_active) == (
        *(None, emma.genre),
        *("1897-01-01", 0, False),
    )
    assert told(output) == "2 added, 0 there already. Rows refused: 0. New genres: 1"


def test_import_books_can_be_searched_at_once(file):
    load(file(HEADINGS, "L'Étranger,Albert Camus,8.00,"))

    assert [book.title for book in Book.objects.search("etranger camus")] == ["L'Étranger"]


def test_import_books_a_second_time_changes_nothing(file):
    path = file(HEADINGS, EMMA, DRACULA)
    load(path)
    before = everything()

    output = load(path)

    assert everything() == before
    assert told(output) == "0 added, 2 there already. Rows refused: 0"


def test_import_books_leaves_a_book_that_is_there_as_it_is(file):
    Book.objects.add(title="Emma (Penguin)", author="Austen", price="3.00", isbn="9780141439587", stock_quantity=4)
    Book.objects.add(title="DRACULA", author="Bram  Stoker", price="1.00")
    before = everything()

    load(file(HEADINGS, EMMA, DRACULA))

    assert everything() == before


def test_import_books_update_changes_what_the_file_says_and_no_more(file):
    emma = Book.objects.add(title="Emma", author="Austen", price="3.00", isbn="9780141439587", stock_quantity=4)
    dracula = Book.objects.add(title="Dracula", author="Bram Stoker", price="9.90", description="A count.")
    created = emma.created_at

    output = load(
        file("title,author,price,isbn,stock_quantity,description", f"{EMMA},,A novel", f"{DRACULA},7,"), "--update"
    )

    emma.refresh_from_db()
    dracula.refresh_from_db()
    assert (emma.author, str(emma.price), emma.stock_quantity, emma.description) == (
        *("Jane Austen", "12.50"),
        *(4, "A novel"),
    )
    assert (str(dracula.price), dracula.stock_quantity, dracula.description) == ("9.90", 7, "A count.")
    assert emma.created_at == created
    assert [book.title for book in Book.objects.search("emma jane")] == ["Emma"]
    assert told(output) == "0 added, 2 changed, 0 as they were. Rows refused: 0"


@pytest.mark.parametrize(("seconds", "stock"), [(-60, 4), (60, 7)], ids=["changed since", "not since"])
def test_import_books_writes_no_stock_that_is_older_than_the_books_change(file, seconds, stock):
    emma = Book.objects.add(title="Emma", author="Jane Austen", price="3.00", isbn="9780141439587", stock_quantity=4)
    path = file("title,author,price,isbn,stock_quantity", "Emma,Jane Austen,3.00,9780141439587,7")
    written_at = (emma.updated_at + timedelta(seconds=seconds)).isoformat()

    load(path, "--update", "--written-at", written_at)

    assert Book.objects.get().stock_quantity == stock


@pytest.mark.parametrize("time", ["yesterday", "2026-11-27T09:30"])
def test_import_books_refuses_a_time_that_may_be_another(file, time):
    with pytest.raises(CommandError, match="is no time with its time zone: write it as 2026-11-27T09:30Z"):
        load(file(HEADINGS, EMMA), "--update", "--written-at", time)


def test_import_books_update_a_second_time_writes_nothing(file, django_assert_max_num_queries):
    path = file(HEADINGS, EMMA, DRACULA)
    load(path, "--update")
    before = everything()

    with django_assert_max_num_queries(20) as queries:
        output = load(path, "--update")

    assert everything() == before
    assert [query["sql"] for query in queries if re.match("INSERT|UPDATE", query["sql"])] == []
    assert told(output) == "0 added, 0 changed, 2 as they were. Rows refused: 0"


@pytest.mark.parametrize("options", [[], ["--update"]])
def test_import_books_dry_run_tells_what_would_be_and_writes_nothing(file, options):
    Book.objects.add(title="Emma", author="Jane Austen", price="3.00", isbn="9780141439587")
    before = everything()

    output = load(
        file(f"{HEADINGS},genre", f"{EMMA},Novel", f"{DRACULA},Horror", "Persuasion,,7,,"), "--dry-run", *options
    )

    assert everything() == before
    emma = "1 changed, 0 as they were" if options else "1 there already"
    assert told(output) == f"1 added, {emma}. Rows refused: 1. New genres: {2 if options else 1}. Nothing was written"


def test_import_books_refuses_a_bad_row_and_takes_the_others(file, tmp_path):
    path = file(HEADINGS, EMMA, '"Two\nlines",Anon,free,123', DRACULA, "Persuasion,Jane Austen,7.00,,surplus")
    report = tmp_path / "report.csv"

    output = load(path, "--report", str(report))

    isbn = "This is no ISBN-10 or ISBN-13: look at its digits again, the last one checks the others."
    assert sorted(Book.objects.values_list("title", flat=True)) == ["Dracula", "Emma"]
    assert told(output) == "2 added, 0 there already. Rows refused: 2"
    assert "  line 3: price is 'free': This is no price: write it as 12.50." in output
    with report.open(encoding="utf-8-sig", newline="") as written:
        assert list(csv.reader(written)) == [
            ["line", "outcome", "column", "value", "reason"],
            ["3", "left out", "isbn", "123", isbn],
            ["3", "refused", "price", "free", "This is no price: write it as 12.50."],
            [
                *("6", "refused", "row", "1 more"),
                "The row has more cells than there are columns: a text with a comma in it needs quotation marks.",
            ],
        ]


def test_import_books_takes_an_ancient_book_without_its_date(file):
    output = load(file("title,author,price,publish_date", "The Iliad,Homer,9.00,-750"))

    assert Book.objects.get().publish_date is None
    assert told(output) == "1 added, 0 there already. Rows refused: 0"
    assert "1 left out: publish_date: A date before the year 1 cannot be kept" in output


@pytest.mark.parametrize(
    ("lines", "titles"),
    [
        ([EMMA, "Emma again,Jane Austen,5.00,978-0-14-143958-7"], ["Emma"]),
        ([DRACULA, "DRACULA,bram stoker,5.00,"], ["Dracula"]),
        ([EMMA, "Emma,Jane Austen,5.00,"], ["Emma"]),
        ([EMMA, "Emma,Jane Austen,5.00,9781593081522"], ["Emma", "Emma"]),
        (["Emma,Jane Austen,5.00,", EMMA], ["Emma", "Emma"]),
    ],
    ids=["same ISBN", "same name", "same name as one with ISBN", "two editions", "ISBN after none"],
)
@pytest.mark.parametrize("batch", [1, 500])
def test_import_books_takes_the_first_of_rows_for_one_book(file, monkeypatch, lines, titles, batch):
    monkeypatch.setattr("catalog.management.commands.import_books.BATCH", batch)
    path = file(HEADINGS, *lines)

    output = load(path)
    before = everything()
    again = load(path)

    assert list(Book.objects.order_by("id").values_list("title", flat=True)) == titles
    assert everything() == before
    refused = len(lines) - len(titles)
    assert told(output) == f"{len(titles)} added, 0 there already. Rows refused: {refused}"
    assert told(again) == f"0 added, {len(titles)} there already. Rows refused: {refused}"
    assert ("as on line 2': An earlier row of the file has this book, too" in output) is bool(refused)


def test_import_books_prefers_the_book_without_isbn_for_a_row_without(file):
    edition = Book.objects.add(title="Emma", author="Jane Austen", price="3.00", isbn="9780141439587")
    plain = Book.objects.add(title="Emma", author="Jane Austen", price="3.00")

    load(file(HEADINGS, "Emma,Jane Austen,5.00,"), "--update")

    edition.refresh_from_db()
    plain.refresh_from_db()
    assert (str(edition.price), str(plain.price)) == ("3.00", "5.00")


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


def test_import_books_remembers_what_staff_said_of_headings(file):
    HeadingChoice.objects.create(name="name", column="title")

    output = load(file("Name,author,price", "Emma,Jane Austen,9.90"))

    assert told(output) == "1 added, 0 there already. Rows refused: 0"


def test_import_books_takes_a_book_without_its_unreadable_cell(file):
    path = file(f"{HEADINGS},publish_date", "Emma,Jane Austen,9.90,,soon")

    strict = load(path, "--strict", "--dry-run")
    output = load(path)

    assert told(strict) == "0 added, 0 there already. Rows refused: 1. Nothing was written"
    assert told(output) == "1 added, 0 there already. Rows refused: 0"
    assert "1 left out: publish_date: This is no date" in output
    assert Book.objects.get().publish_date is None


@pytest.mark.parametrize(
    ("title", "isbn", "outcome"),
    [
        ("Emma", "9.78014E+12", "0 added, 1 changed"),  # the one book whose ISBN it can be
        ("Emma", "9.78099E+12", "0 added, 0 changed"),  # another edition
        ("Emma", "9780141439581", "0 added, 0 changed"),  # mistyped: perhaps another edition
        ("Persuasion", "9780141439581", "1 added, 0 changed"),
    ],
)
def test_import_books_of_an_unread_isbn_never_changes_another_edition(file, title, isbn, outcome):
    emma = Book.objects.add(title="Emma", author="Jane Austen", price="3.00", isbn="9780141439587")

    output = load(file(HEADINGS, f"{title},Jane Austen,5.00,{isbn}"), "--update")

    emma.refresh_from_db()
    assert told(output).startswith(outcome)
    assert (str(emma.price), emma.isbn) == ("5.00" if "1 changed" in outcome else "3.00", "9780141439587")


def test_import_books_gives_two_books_of_one_name_a_row_each(file):
    first = Book.objects.add(title="Emma", author="Jane Austen", price="3.00")
    second = Book.objects.add(title="Emma", author="Jane Austen", price="4.00")

    output = load(
        file("title,author,price,stock_quantity", *["Emma,Jane Austen,4.00,2", "Emma,Jane Austen,3.00,1"]), "--update"
    )

    first.refresh_from_db()
    second.refresh_from_db()
    assert told(output) == "0 added, 2 changed, 0 as they were. Rows refused: 0"
    assert [(str(book.price), book.stock_quantity) for book in (first, second)] == [("3.00", 1), ("4.00", 2)]


def test_import_books_keeps_genres_apart_that_differ_by_a_letter(file):
    load(file("title,author,price,genre", "A,Ann,5,ハス", "B,Ann,5,バス", "C,Ann,5,パス"))

    assert sorted(Genre.objects.values_list("name", flat=True)) == sorted(["ハス", "バス", "パス"])


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
def test_import_that_waits_longer_than_for_a_lock_tries_again():
    rows = [(2, read_row({"title": "Emma", "author": "Jane Austen", "price": "5"}))]

    def load_them():
        with Loader() as loader:
            loader.load(rows)
            return loader.counts

    def load_impatiently():
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '300ms'")
        return load_them()

    counts = answer_beside(load_them, load_impatiently, then=lambda: time.sleep(0.4))

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


def test_import_books_of_any_mixture_keeps_each_books_first_row(file, monkeypatch):
    """Against a model: a dictionary that takes the first row of each identity."""
    seed = random.randrange(10**9)
    chosen = random.Random(seed)
    monkeypatch.setattr("catalog.management.commands.import_books.BATCH", 7)
    isbns = ["0141439580", "9781593081522", "9780141439518"]
    lines, expected = [], {}
    for number in range(120):
        title, price = f"Volume {chosen.randrange(12)}", f"{chosen.randrange(0, 30)}.00"
        isbn = chosen.choice([*isbns, "123"]) if chosen.random() < 0.3 else ""
        lines.append(f"{title if isbn == '' else 'Edition'},Anon {number if isbn else ''},{price},{isbn}")
        key = {"0141439580": "9780141439587"}.get(isbn, isbn) or title
        if price != "0.00" and isbn != "123":
            expected.setdefault(key, price)

    load(file(HEADINGS, *lines), "--strict")
    load(file(HEADINGS, *lines), "--strict")

    assert {book.isbn or book.title: str(book.price) for book in Book.objects.all()} == expected, seed
