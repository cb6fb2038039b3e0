"""manage.py import_books: which books a file adds, changes and leaves."""

import csv
import random
import re
from datetime import timedelta

import pytest
from django.core.management import CommandError

from catalog.importing.staged import HeadingChoice
from catalog.models import Book, Genre
from catalog.tests.import_command import DRACULA, EMMA, HEADINGS, everything, load, told

pytestmark = pytest.mark.django_db


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
