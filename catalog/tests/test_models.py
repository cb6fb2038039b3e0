"""Rules of books and genres for every writer: the shell, the admin, an import."""

from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.db.models import F, Value
from django.db.models.functions import Upper
from django.test.utils import CaptureQueriesContext

from catalog.exceptions import GenreConflict, GenreUnknown, IsbnConflict
from catalog.models import Book, Genre
from catalog.search.vocabulary import SearchWord
from catalog.tests.factories import BookFactory, GenreFactory

pytestmark = pytest.mark.django_db


def found(query):
    return list(Book.objects.search(query).values_list("title", flat=True))


def by_saving(book):
    book.title = "Persuasion"
    book.save()


def by_saving_one_field(book):
    book.title = "Persuasion"
    book.save(update_fields=["title"])


def by_change(book):
    book.change(title="Persuasion")


def by_update(book):
    Book.objects.filter(pk=book.pk).update(title="Persuasion")


def by_bulk_update(book):
    book.title = "Persuasion"
    Book.objects.bulk_update([book], ["title"])


def by_bulk_create(book):
    Book.objects.filter(pk=book.pk).delete()
    Book.objects.bulk_create([BookFactory.build(title="Persuasion")])


def by_upsert(book):
    Book.objects.bulk_create(
        [BookFactory.build(title="Persuasion", isbn=book.isbn)],
        update_conflicts=True,
        unique_fields=["isbn"],
        update_fields=["title"],
    )


def by_update_or_create(book):
    Book.objects.update_or_create(isbn="0-14-143958-0", defaults={"title": "Persuasion"})


@pytest.mark.parametrize(
    "write",
    [
        by_saving,
        by_saving_one_field,
        by_change,
        by_update,
        by_bulk_update,
        by_bulk_create,
        by_upsert,
        by_update_or_create,
    ],
)
def test_a_new_title_is_found_and_the_old_not_by_any_write(emma, write):
    write(emma)

    assert found("persuasion") == ["Persuasion"]
    assert found("emma") == []
    assert Book.objects.get().title_folded == "persuasion"


def test_update_of_a_title_by_an_expression_is_refused(emma):
    with pytest.raises(TypeError, match="title is searched"):
        Book.objects.update(title=Upper("title"))


def test_update_of_other_fields_by_an_expression_is_django_s(emma):
    Book.objects.update(stock_quantity=F("stock_quantity") - 2)

    emma.refresh_from_db()
    assert emma.stock_quantity == 3


def by_create(isbn):
    return Book.objects.create(title="Emma", author="Jane Austen", price=1, isbn=isbn).isbn


def by_isbn_update(isbn):
    BookFactory()
    Book.objects.update(isbn=isbn)
    return Book.objects.get().isbn


def by_isbn_bulk_create(isbn):
    Book.objects.bulk_create([BookFactory.build(isbn=isbn)])
    return Book.objects.get().isbn


def by_isbn_bulk_update(isbn):
    book = BookFactory()
    book.isbn = isbn
    Book.objects.bulk_update([book], ["isbn"])
    return Book.objects.get().isbn


WRITES = [by_create, by_isbn_update, by_isbn_bulk_create, by_isbn_bulk_update]


@pytest.mark.parametrize("write", WRITES)
@pytest.mark.parametrize("isbn", ["9780306406157", "978-0-306-40615-7", "0306406152", "0-306-40615-2", "0 306 40615 2"])
def test_isbn_is_kept_as_its_isbn_13_however_it_was_written(write, isbn):
    assert write(isbn) == "9780306406157"


def test_isbn_10_that_ends_in_x_is_taken():
    assert by_create("080442957x") == "9780804429573"


@pytest.mark.parametrize("write", WRITES)
@pytest.mark.parametrize("isbn", ["9780306406158", "0306406153", "123", "306406152", "９７８０３０６４０６１５７"])
def test_isbn_that_is_none_is_refused_however_it_was_written(write, isbn):
    with pytest.raises(ValidationError, match="no ISBN-10 or ISBN-13"):
        write(isbn)


@pytest.mark.parametrize("isbn", ["9780141439587", "0-14-143958-0"])
def test_look_up_by_either_form_of_an_isbn_finds_the_book(emma, isbn):
    assert Book.objects.get(isbn=isbn) == emma


def test_look_up_by_what_is_no_isbn_finds_nothing(emma):
    assert not Book.objects.filter(isbn="Emma").exists()


@pytest.mark.parametrize(
    ("fields", "constraint"),
    [
        ({"price": Decimal(0)}, "ck_books_price"),
        ({"price": Decimal(-1)}, "ck_books_price"),
        ({"stock_quantity": -1}, "ck_books_stock_quantity"),
        ({"isbn": "9780141439587"}, "uq_books_isbn"),
    ],
)
def test_the_database_refuses_what_must_never_be(emma, dracula, fields, constraint):
    with pytest.raises(IntegrityError) as refusal, transaction.atomic():
        Book.objects.filter(pk=dracula.pk).update(**fields)

    sqlite_says = "books.isbn" if constraint == "uq_books_isbn" else constraint
    assert (sqlite_says if connection.vendor == "sqlite" else constraint) in str(refusal.value)


def test_stock_is_0_by_the_databases_default():
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO books (title, author, price, title_folded, author_folded) VALUES ('E', 'A', 1, 'e', 'a')"
        )

    book = Book.objects.get()
    assert book.stock_quantity == 0
    assert book.created_at is not None


def test_add_raises_the_conflict_of_the_isbn_only(emma):
    with pytest.raises(IsbnConflict):
        Book.objects.add(title="Emma", author="J. A.", price=1, isbn=emma.isbn)

    with pytest.raises(IntegrityError):
        Book.objects.add(title="Emma", author="J. A.", price=0)


def test_add_to_a_genre_that_does_not_exist_raises(db):
    with pytest.raises(GenreUnknown):
        Book.objects.add(title="Emma", author="Jane Austen", price=1, genre_id=999)

    assert not Book.objects.exists()


def test_genre_is_unique_whatever_its_case_and_accents(db):
    GenreFactory(name="Poésie")

    with pytest.raises(GenreConflict):
        Genre.objects.add("POESIE")
    with pytest.raises(IntegrityError), transaction.atomic():
        Genre.objects.bulk_create([Genre(name="poesie")])


def test_genre_that_is_renamed_frees_its_name(db):
    genre = GenreFactory(name="Poésie")

    genre.name = "Verse"
    genre.save(update_fields=["name"])

    assert Genre.objects.add("poesie").name == "poesie"


def test_books_are_read_without_the_searchs_document(emma):
    assert Book.objects.get().get_deferred_fields() == {"search_document", "title_spellings", "author_spellings"}


def test_priced_is_open_at_the_end_that_is_none(emma, dracula):
    assert list(Book.objects.priced(None, Decimal("9.50"))) == [emma]
    assert list(Book.objects.priced(Decimal("9.51"))) == [dracula]
    assert set(Book.objects.priced()) == {emma, dracula}


def test_annotated_sets_stay_sets_of_books(emma):
    assert list(Book.objects.annotate(one=Value(1)).search("emma").in_stock()) == [emma]


@pytest.mark.postgres
def test_books_are_created_from_arrays(db):
    with CaptureQueriesContext(connection) as asked:
        Book.objects.bulk_create(BookFactory.build_batch(3))

    assert [query["sql"].count("UNNEST") for query in asked if query["sql"].startswith('INSERT INTO "books"')] == [1]


def test_search_gives_no_more_books_than_asked_for(emma):
    for number in range(3):
        BookFactory(title=f"Emma, Volume {number}")

    assert list(Book.objects.search("emma", most=1)) == [emma]
    assert Book.objects.search("emma", most=3).count() == 3


def test_search_of_more_words_than_its_bound_counts_the_first(emma):
    nonsense = " ".join(f"x{number}" for number in range(200))

    assert found(nonsense) == []
    assert found(f"{nonsense} emma") == []
    assert found(f"emma {nonsense}") == ["Emma"]
    assert found(" ".join(["emma"] * 200)) == ["Emma"]


@pytest.mark.parametrize(
    "write",
    [by_saving, by_saving_one_field, by_change, by_update, by_bulk_update, by_bulk_create, by_upsert],
)
def test_every_way_of_writing_a_title_learns_its_words_and_spellings(emma, write):
    def titled(book):
        return Book.objects.values_list("title_spellings", flat=True).get()

    Book.objects.filter(pk=emma.pk).update(title="Catch-22")
    assert titled(emma) == "catch22"

    write(emma)

    assert titled(emma) is None
    learnt = set(SearchWord.objects.values_list("word", flat=True))
    assert {"catch", "22", "catch22", "persuasion", "jane", "austen"} <= learnt


@pytest.mark.parametrize("write", [by_saving, by_saving_one_field, by_change, by_update, by_bulk_update, by_upsert])
def test_every_way_of_writing_a_book_says_when(emma, write):
    before = Book.objects.get().updated_at

    write(emma)

    assert Book.objects.get().updated_at > before


def test_books_written_past_the_models_are_folded_by_refold_books(emma, capsys):
    with connection.cursor() as cursor:
        cursor.execute("UPDATE books SET title = 'Catch-22', title_folded = '', author_folded = ''")
    SearchWord.objects.all().delete()

    call_command("refold_books")
    call_command("refold_books")

    assert capsys.readouterr().out.splitlines()[:2] == ["Books: 1 changed.", "Books: 0 changed."]
    assert Book.objects.values_list("title_folded", "title_spellings", "author_folded").get() == (
        "catch 22",
        "catch22",
        "jane austen",
    )
    assert set(SearchWord.objects.values_list("word", flat=True)) == {"catch", "22", "catch22", "jane", "austen"}
