"""Confirming an import: what was shown, as it was shown, and no other book's title."""

import pytest

from catalog.models import Book
from catalog.tests.import_pages import IMPORT, confirm, counts, faults, told, upload

pytestmark = pytest.mark.django_db

# The ISBN is that of Emma; the second row is a book of its own.
WRONG_ISBN = """\
title,author,price,isbn
Dracula,Bram Stoker,12.25,9780141439587
It,Stephen King,8.00,
"""


def test_isbn_of_another_title_is_told_before_anything_is_written(staff, emma):
    response = upload(staff, WRONG_ISBN)

    page = response.content.decode()
    assert counts(response) == {"new": 1, "changed": 1, "retitled": 1}
    assert [(row.line, row.changes["Title"]) for row in response.context["rows"]["retitled"]] == [
        (2, ["Emma", "Dracula"])
    ]
    assert "1 row has the ISBN of a book with another title." in page
    assert 'value="Import 1 book"' in page


def test_book_keeps_its_title_unless_that_is_confirmed(staff, emma):
    response = confirm(staff, upload(staff, WRONG_ISBN))

    emma.refresh_from_db()
    assert (emma.title, emma.author) == ("Emma", "Jane Austen")
    assert told(response) == ["Imported: 1 new, 1 refused."]
    assert faults(response) == [
        (
            *(2, "Title", "Emma"),
            "The book of this ISBN has this title, and nobody said that it gets another: the row was left out.",
        )
    ]


def test_book_gets_another_title_when_that_is_confirmed(staff, emma):
    response = confirm(staff, upload(staff, WRONG_ISBN), retitle="on")

    emma.refresh_from_db()
    assert (emma.title, emma.author) == ("Dracula", "Bram Stoker")
    assert told(response) == ["Imported: 1 new, 1 changed."]


def test_title_that_differs_by_case_alone_is_no_other_title(staff, emma):
    response = upload(staff, "title,author,price,isbn\nEMMA,Jane Austen,9.50,9780141439587\n")

    assert counts(response) == {"changed": 1}


def test_file_read_again_since_the_page_was_shown_is_not_imported(staff, emma):
    text = "title,author,price,publish_date\nIt,Stephen King,8.00,12/11/1986\n"
    preview = upload(staff, text)
    staff.post(f"{IMPORT}{preview.context['shown'].pk}/read/", {"dates": "day-first"})

    response = confirm(staff, preview)

    assert Book.objects.count() == 1
    assert told(response) == [
        "Nothing was imported: somebody has had the file read again since this page was shown. Look at it as it is now."
    ]
