"""/admin/catalog/book/import/: a preview of the file, and a confirmation that loads exactly the previewed rows."""

import csv
import gzip
import io
from decimal import Decimal

import pytest

from bookstore.audit.models import AuditChange, AuditEvent
from catalog.admin import book_files
from catalog.importing import steps
from catalog.importing.staged import BookImport, HeadingChoice
from catalog.models import Book, Genre
from catalog.tests.factories import BookFactory
from catalog.tests.import_pages import CONFIRM, IMPORT, TWO_BAD_ROWS, confirm, counts, faults, told, upload

pytestmark = pytest.mark.django_db


def test_preview_shows_changes_and_each_bad_row_with_its_reason(staff, emma):
    response = upload(staff, TWO_BAD_ROWS)

    rows = response.context["rows"]
    page = response.content.decode()
    assert counts(response) == {"new": 1, "changed": 1, "refused": 2}
    assert [(row.line, row.title) for row in rows["new"]] == [(2, "Persuasion")]
    assert [(row.line, row.title, row.changes) for row in rows["changed"]] == [
        (3, "Emma", {"Price": ["9.50", "11.00"]})
    ]
    assert faults(response) == [
        (4, "Price", "", "Every book needs one, and the cell is empty."),
        (5, "Price", "free", "This is no price: write it as 12.50."),
    ]
    assert "UTF-8, separated by commas" in page
    assert "This is no price: write it as 12.50." in page
    assert 'value="Import 2 books"' in page


def test_preview_changes_nothing(staff, emma):
    upload(staff, TWO_BAD_ROWS)

    assert list(Book.objects.values_list("title", "price")) == [("Emma", Decimal("9.50"))]
    assert list(Genre.objects.values_list("name", flat=True)) == ["Novel"]


def test_confirmed_import_takes_the_good_rows(staff, emma):
    response = confirm(staff, upload(staff, TWO_BAD_ROWS))

    assert told(response) == ["Imported: 1 new, 1 changed, 2 refused."]
    assert list(Book.objects.order_by("id").values_list("title", "price", "isbn", "stock_quantity", "genre__name")) == [
        ("Emma", Decimal("11.00"), "9780141439587", 5, "Novel"),
        ("Persuasion", Decimal("8.20"), "9780141439686", 4, "Novel"),
    ]
    assert Book.objects.search("persuasion").exists()
    assert sorted(Genre.objects.values_list("name", flat=True)) == ["Novel"]


def test_confirmed_import_is_one_event_of_the_history(staff, emma, monkeypatch):
    monkeypatch.setattr(steps, "BATCH", 1)
    gothic = Genre.objects.add("Gothic")
    text = TWO_BAD_ROWS.replace("Novel,\n", "gothic,\n")

    confirm(staff, upload(staff, text))

    event = AuditEvent.objects.get()
    assert (event.actor, event.channel, event.summary, event.number_of_changes) == (
        *("olga@example.com", "admin", "Imported “books.csv”.", 2),
    )
    assert list(AuditChange.objects.order_by("id").values_list("name", "action")) == [
        ("Persuasion", "add"),
        ("Emma", "change"),
    ]
    assert AuditChange.objects.get(name="Emma").fields == {"price": ["9.50", "11.00"], "genre": ["Novel", gothic.name]}


def test_import_of_the_same_file_again_has_nothing_to_do(staff, emma):
    confirm(staff, upload(staff, TWO_BAD_ROWS))

    response = upload(staff, TWO_BAD_ROWS)

    assert counts(response) == {"same": 2, "refused": 2}
    assert CONFIRM not in response.content.decode()
    assert "There is nothing to import" in response.content.decode()


def test_import_confirmed_twice_is_done_once(staff, emma):
    preview = upload(staff, TWO_BAD_ROWS)
    confirm(staff, preview)
    Book.objects.filter(title="Persuasion").update(price="1.00")

    response = confirm(staff, preview)

    assert told(response) == ["Nothing was imported: “books.csv” was imported already."]
    assert Book.objects.get(title="Persuasion").price == Decimal("1.00")


def test_change_since_the_preview_outside_of_the_file_stays(staff, emma):
    preview = upload(staff, TWO_BAD_ROWS)
    Book.objects.filter(pk=emma.pk).update(stock_quantity=1, description="Annotated.")

    confirm(staff, preview)

    emma.refresh_from_db()
    assert (emma.price, emma.stock_quantity, emma.description) == (Decimal("11.00"), 1, "Annotated.")


@pytest.mark.parametrize("price_in_file", ["15.00", "11.00"], ids=["as it was", "another"])
def test_price_changed_since_the_preview_is_refused_in_words(staff, emma, price_in_file):
    Book.objects.filter(pk=emma.pk).update(price="15.00")
    preview = upload(staff, f"title,author,price,isbn\nEmma,Jane Austen,{price_in_file},9780141439587\nIt,King,1,\n")
    Book.objects.filter(pk=emma.pk).update(price="12.00")

    response = confirm(staff, preview)

    emma.refresh_from_db()
    assert emma.price == Decimal("12.00")
    assert told(response) == ["Imported: 1 new, 1 refused."]
    assert faults(response) == [
        (2, "Price", "12.00", "It was 15.00 in the preview, and somebody has changed it since.")
    ]


def test_book_deleted_since_the_preview_does_not_come_back(staff, emma):
    preview = upload(staff, TWO_BAD_ROWS)
    emma.delete()

    response = confirm(staff, preview)

    assert list(Book.objects.values_list("title", flat=True)) == ["Persuasion"]
    assert (3, "Title", "Emma", "The book was deleted since the preview.") in faults(response)


def test_book_added_since_the_preview_is_not_written_over(staff, emma):
    preview = upload(staff, TWO_BAD_ROWS)
    BookFactory(title="Persuasion, new edition", isbn="9780141439686", price="20.00")

    response = confirm(staff, preview)

    assert Book.objects.get(isbn="9780141439686").price == Decimal("20.00")
    assert (2, "Title", "Persuasion", "The book was added by somebody else since the preview.") in faults(response)
    assert told(response) == ["Imported: 1 changed, 3 refused."]


def test_columns_that_nobody_reads_are_named(staff):
    response = upload(staff, "title,author,price,Shelf,Supplier\nEmma,Jane Austen,1,B7,Gardners\n")

    assert response.context["unread"] == ["Shelf", "Supplier"]
    assert "Not read" in response.content.decode()


def test_heading_is_given_a_column_and_remembered(staff):
    response = upload(staff, "Name,author,price,Shelf\nEmma,Jane Austen,1,Novel\n")
    key = response.context["shown"].pk

    mapped = {"heading-0": "title", "heading-1": "author", "heading-2": "price", "heading-3": "genre"}
    again = staff.post(f"{IMPORT}{key}/read/", mapped, follow=True)
    next_file = upload(staff, "name,author,price,shelf\nPersuasion,Jane Austen,1,Novel\n")

    assert response.context["shown"].problem == "The file has no column “Title”."
    assert (counts(again), again.context["shown"].problem) == ({"new": 1}, "")
    assert next_file.context["rows"]["new"][0].fields == {
        **{"title": "Persuasion", "author": "Jane Austen", "price": "1.00", "genre": "Novel"}
    }
    assert dict(HeadingChoice.objects.values_list("name", "column")) == {"name": "title", "shelf": "genre"}


def test_file_is_read_again_with_another_meaning_of_its_dates(staff):
    text = "title,author,price,publish_date\nEmma,Jane Austen,1,12/11/1815\n"
    response = upload(staff, text)
    row = {f"heading-{place}": name for place, name in enumerate(["title", "author", "price", "publish_date"])}

    again = staff.post(f"{IMPORT}{response.context['shown'].pk}/read/", {"dates": "day-first", **row}, follow=True)

    assert (counts(response), counts(again)) == ({"new": 1, "noted": 1}, {"new": 1})
    assert again.context["rows"]["new"][0].fields["publish_date"] == "1815-11-12"


def test_strict_upload_refuses_a_row_for_any_cell(staff):
    response = upload(staff, "title,author,price,isbn\nEmma,Jane Austen,1,123\n", strict="on")

    assert counts(response) == {"refused": 1}


def test_preview_shows_every_column_of_a_new_book(staff):
    head = "title,author,price,isbn,genre,description,cover_image_url,publish_date,stock_quantity,is_active,popularity"
    cells = "Emma,Jane Austen,1,9780141439587,Novel,Clever,https://covers.example/1.jpg,1815-12-23,4,no,7"

    response = upload(staff, f"{head}\n{cells}\n")

    assert [cell for _, cell in response.context["rows"]["new"][0].cells] == [
        *("Emma", "Jane Austen", "1.00", "9780141439587", "Novel", "Clever", "https://covers.example/1.jpg"),
        *("1815-12-23", "4", "no", "7"),
    ]


@pytest.mark.parametrize(
    ("row", "column", "reason"),
    [
        (",Austen,1", "Title", "Every book needs one, and the cell is empty."),
        (f"{'x' * 501},Austen,1", "Title", "At most 500 characters fit."),
        (f"Emma,{'x' * 256},1", "Author", "At most 255 characters fit."),
        ("Emma,Austen,0", "Price", "The least is 0.01."),
        ("Emma,Austen,1.2345", "Price", "Write at most 2 places after the point."),
        (
            "Emma,Austen,1,extra,cells",
            "Row",
            "The row has more cells than there are columns: a text with a comma in it needs quotation marks.",
        ),
    ],
)
def test_row_is_refused_for_the_reason_that_the_api_gives(staff, row, column, reason):
    response = upload(staff, f"title,author,price\n{row}\n")

    assert [(fault[1], fault[3]) for fault in faults(response)] == [(column, reason)]


def test_second_row_of_one_book_is_refused(staff):
    response = upload(staff, "title,author,price\nEmma,Jane Austen,1\nEMMA,Jane Austen,2\n")

    assert counts(response) == {"new": 1, "refused": 1}
    assert "as on line 2" in faults(response)[0][2]


def test_two_editions_with_isbns_are_two_books(staff):
    text = "title,author,price,isbn\nEmma,Jane Austen,1,9780141439587\nEmma,Jane Austen,2,9780141439686\n"

    confirm(staff, upload(staff, text))

    assert Book.objects.count() == 2


@pytest.mark.parametrize(
    "content",
    [
        "Title;Author;Price\nL’Étranger;Albert Camus;12,50\n".encode("utf-8-sig"),
        "title\tauthor\tprice\nL’Étranger\tAlbert Camus\t12.50\n".encode("utf-16"),
        "title;author;price\nL’Étranger;Albert Camus;12,50\n".encode("cp1252"),
    ],
)
def test_file_is_read_as_spreadsheets_write_it(staff, content):
    confirm(staff, upload(staff, content))

    assert list(Book.objects.values_list("title", "price")) == [("L’Étranger", Decimal("12.50"))]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "The file is empty."),
        (b"\n", "The file is empty: its first line is to name the columns."),
        (b"title,author,title\nE,J,1\n", "The file has the column &#x27;title&#x27; twice."),
        (b"\x81\x8d\x8f", "The file has no column “Title” and no column “Author” and no column “Price”."),
        (b"title,author\nEmma,Jane Austen\n", "The file has no column “Price”."),
        (b"title\nEmma\n", "The file has no column “Author” and no column “Price”."),
        (b'title,author,price\n"Emma,Ann,5\nIt,King,5\n', "The file cannot be read from line 2 on: a quotation mark"),
        ("title,author,price\nA,Ann,5\n".encode("utf-16") + b"\x00\xd8x\x00", "The file is not UTF-16 on line 3"),
        (
            "title,author,price\nTartuffe,Molière,5\n".encode("cp1252"),
            "could be Windows-1252 (“Molière”) or Windows-1250",
        ),
        (b"x" * (book_files.MAX_FILE + 1), "MB are read here"),
    ],
)
def test_file_that_cannot_be_used_is_told_why(staff, content, reason):
    response = upload(staff, content)

    assert response.status_code == 200
    assert reason in response.content.decode()
    assert CONFIRM not in response.content.decode()


def test_encoding_that_is_asked_for_is_chosen_on_the_page(staff):
    response = upload(staff, "title,author,price\nTartuffe,Molière,5\n".encode("cp1252"))

    again = staff.post(f"{IMPORT}{response.context['shown'].pk}/read/", {"encoding": "cp1252"}, follow=True)

    assert again.context["rows"]["new"][0].fields["author"] == "Molière"


def test_upload_packed_with_gzip_is_read(staff, emma):
    response = upload(staff, gzip.compress(TWO_BAD_ROWS.encode()), name="books.csv.gz")

    assert counts(response) == {"new": 1, "changed": 1, "refused": 2}


def test_upload_of_a_damaged_gzip_is_told(staff):
    response = upload(staff, gzip.compress(TWO_BAD_ROWS.encode())[:20], name="books.csv.gz")

    assert response.status_code == 200
    assert "is packed with gzip, and damaged" in response.context["shown"].problem


def test_file_of_headings_alone_is_told_to_have_no_row(staff):
    response = upload(staff, "title,author,price\n")

    assert "There is nothing to import: the file has no row under its headings." in response.content.decode()


def test_encodings_to_choose_from_have_a_name_each(staff):
    choices = staff.get(IMPORT).context["form"].fields["encoding"].choices

    assert len({label for _, label in choices}) == len(choices)


@pytest.mark.parametrize("key", ["", "x", "-1", "0", "9" * 18, "9" * 30, "1\0"])
def test_confirmation_of_no_import_is_told(staff, key):
    response = staff.post(CONFIRM, {"import": key, "resource": "1", "format": "7"}, follow=True)

    assert told(response) == ["Nothing was imported: choose a file first."]


def test_cancelled_import_loads_nothing(staff, emma):
    preview = upload(staff, TWO_BAD_ROWS)

    response = staff.post(f"{IMPORT}{preview.context['shown'].pk}/cancel/", follow=True)
    late = confirm(staff, preview)

    assert told(response) == ["The import was cancelled. What it had imported before stays."]
    assert told(late) == ["Nothing was imported: “books.csv” is cancelled."]
    assert Book.objects.count() == 1


def test_refused_rows_are_downloaded_as_text_that_no_spreadsheet_runs(staff):
    preview = upload(staff, "title,author,price\n=1+1,Jane Austen,free\nEmma,Jane Austen,=2\n")

    response = staff.get(f"{IMPORT}{preview.context['shown'].pk}/rows/?kind=refused")

    lines = list(csv.reader(io.StringIO(b"".join(response).decode("utf-8-sig"))))
    assert lines == [
        ["line", "outcome", "book", "column", "from", "to", "reason"],
        ["2", "refused", "'=1+1", "Price", "free", "", "This is no price: write it as 12.50."],
        ["3", "refused", "Emma", "Price", "'=2", "", "This is no price: write it as 12.50."],
    ]


@pytest.mark.parametrize("rows", [1, 30])
def test_preview_costs_a_constant_number_of_queries(staff, rows, django_assert_num_queries):
    lines = [f"Volume {number},Jane Austen,1.00,Novel" for number in range(rows)]
    BookImport.objects.all().delete()

    # Session, user, old imports; the file staged, read and its batch; then the page, with its user and rows.
    with django_assert_num_queries(28):
        upload(staff, "title,author,price,genre\n" + "\n".join(lines) + "\n")


def test_pages_of_an_import_that_is_not_there_are_not_found(staff):
    assert staff.get(f"{IMPORT}1/").status_code == 404
    assert staff.get(f"{IMPORT}1/rows/").status_code == 404


def test_template_is_an_import_of_one_new_book(staff):
    for kind in ("csv", "xlsx"):
        content = b"".join(staff.get(f"{IMPORT}template/", {"format": kind}).streaming_content)

        response = upload(staff, content, name=f"books.{kind}")

        assert (counts(response), response.context["unread"]) == ({"new": 1}, [])
