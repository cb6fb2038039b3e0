"""/admin/catalog/book/: rows that are edited in the list, while colleagues add, change and delete books."""

import pytest
from django.conf import settings
from django.contrib import admin
from django.test import Client

from bookstore.accounts.tests.factories import SuperuserFactory
from bookstore.audit.models import AuditChange, AuditEvent
from catalog.models import Book
from catalog.tests.factories import BookFactory

pytestmark = pytest.mark.django_db

BOOKS = "/admin/catalog/book/"


def site_of(email):
    client = Client()
    client.force_login(SuperuserFactory(email=email))
    return client


@pytest.fixture
def olga(db):
    return site_of("olga@example.com")


@pytest.fixture
def bob(db):
    return site_of("bob@example.com")


def form_of(response):
    """What a browser sends of the list's form, by input's name."""
    changelist = response.context["cl"]
    sent = {"form-TOTAL_FORMS": len(changelist.formset.forms), "form-INITIAL_FORMS": len(changelist.formset.forms)}
    for form in changelist.formset.forms:
        for bound in form:
            sent[bound.html_name] = "" if bound.value() is None else bound.value()
            if bound.field.show_hidden_initial:
                shown = bound.form.data.get(bound.html_initial_name, bound.initial) if form.is_bound else bound.initial
                sent[bound.html_initial_name] = "" if shown is None else shown
        if not form["is_active"].value():
            del sent[f"{form.prefix}-is_active"]
    return sent


def name_of(form, book, field):
    """The name of the input beside this book."""
    [prefix] = [
        name.removesuffix("-id") for name, value in form.items() if name.endswith("-id") and str(value) == str(book.pk)
    ]
    return f"{prefix}-{field}"


def save(site, form):
    return site.post(BOOKS, form | {"_save": "Save"}, follow=True)


def told(response):
    return [str(message) for message in response.context["messages"]]


def stocks():
    return dict(Book.objects.values_list("title", "stock_quantity"))


def test_row_is_saved_to_its_book_when_one_was_added_before_it(olga, emma, dracula):
    form = form_of(olga.get(BOOKS))
    form[name_of(form, emma, "stock_quantity")] = "-1"  # an error page comes between
    BookFactory(title="Aeneid", stock_quantity=9)
    shown_again = save(olga, form)
    form = form_of(shown_again)
    form[name_of(form, emma, "stock_quantity")] = "44"

    save(olga, form)

    assert [book.title for book in shown_again.context["cl"].result_list] == ["Emma"]
    assert stocks() == {"Aeneid": 9, "Dracula": 2, "Emma": 44}


def test_row_that_cannot_be_saved_says_why_and_the_others_are_saved(olga, emma, dracula):
    form = form_of(olga.get(BOOKS))
    form[name_of(form, emma, "price")] = "-3"
    form[name_of(form, dracula, "price")] = "13.00"

    response = save(olga, form)

    [row] = response.context["cl"].formset.forms
    assert row.instance == emma
    assert row.errors == {"price": ["The least is 0.01."]}
    assert told(response) == ["1 book was changed successfully."]
    assert "This row was not saved." in response.content.decode()
    assert {book.title: str(book.price) for book in Book.objects.all()} == {"Emma": "9.50", "Dracula": "13.00"}


def test_row_of_a_deleted_book_is_reported_and_blocks_no_other(olga, bob, emma, dracula):
    form = form_of(olga.get(BOOKS))
    form[name_of(form, emma, "stock_quantity")] = "44"
    form[name_of(form, dracula, "stock_quantity")] = "7"
    bob.post(f"{BOOKS}{emma.pk}/delete/", {"post": "yes"})

    response = save(olga, form)

    assert told(response) == [
        "1 book was changed successfully.",
        "The book “Emma” was deleted meanwhile by bob@example.com. Nothing was written to it.",
    ]
    assert stocks() == {"Dracula": 7}


def test_row_of_a_deleted_book_that_nobody_edited_is_passed_over(olga, emma, dracula):
    form = form_of(olga.get(BOOKS))
    form[name_of(form, dracula, "stock_quantity")] = "7"
    emma.delete()

    response = save(olga, form)

    assert told(response) == ["1 book was changed successfully."]


def test_stock_changed_by_two_is_refused_with_values_and_name(olga, bob, emma):
    form = form_of(olga.get(BOOKS))
    theirs = form_of(bob.get(BOOKS))
    save(bob, theirs | {name_of(theirs, emma, "stock_quantity"): "12"})

    response = save(olga, form | {name_of(form, emma, "stock_quantity"): "9"})

    [row] = response.context["cl"].formset.forms
    [reason] = row.errors["stock_quantity"]
    at = AuditEvent.objects.get().at
    assert reason == (
        f"Not saved, because bob@example.com changed it at {at:%H:%M} UTC meanwhile: this page showed “5”, it is “12” "
        "now, and you wrote “9”. Save again to write “16”: your change of +4, on top of what it is now."
    )
    assert stocks() == {"Emma": 12}


def test_conflict_that_is_saved_again_is_written(olga, bob, emma):
    form = form_of(olga.get(BOOKS))
    Book.objects.update(price="11.00")
    refused = save(olga, form | {name_of(form, emma, "price"): "9.00"})

    response = save(olga, form_of(refused))

    assert told(response) == ["1 book was changed successfully."]
    assert str(Book.objects.get().price) == "9.00"


@pytest.mark.parametrize(("typed", "taken", "stock"), [("25", 2, 23), ("4", 3, 1), ("4", 1, 3), ("4", 5, 4)])
def test_stock_refused_and_saved_again_keeps_what_orders_took(olga, emma, typed, taken, stock):
    """Of 5 copies. What would be below 0 is shown as it was typed."""
    form = form_of(olga.get(BOOKS))
    emma.add_stock(-taken)
    refused = save(olga, form | {name_of(form, emma, "stock_quantity"): typed})
    between = stocks()

    response = save(olga, form_of(refused))

    assert between == {"Emma": 5 - taken}
    assert told(response) == ["1 book was changed successfully."]
    assert stocks() == {"Emma": stock}


def test_fields_that_do_not_collide_are_merged(olga, bob, emma):
    form = form_of(olga.get(BOOKS))
    theirs = form_of(bob.get(BOOKS))
    save(bob, theirs | {name_of(theirs, emma, "price"): "11.00"})

    save(olga, form | {name_of(form, emma, "stock_quantity"): "9"})

    emma.refresh_from_db()
    assert (str(emma.price), emma.stock_quantity) == ("11.00", 9)


def test_rows_saved_together_are_one_event_of_the_history(olga, emma, dracula):
    form = form_of(olga.get(BOOKS))
    edited = {name_of(form, emma, "price"): "10.00", name_of(form, dracula, "stock_quantity"): "3"}

    save(olga, form | edited)

    event = AuditEvent.objects.get()
    assert (event.actor, event.summary, event.number_of_changes) == (
        "olga@example.com",
        "Changed 2 books in the list.",
        2,
    )
    assert sorted(AuditChange.objects.values_list("name", "fields")) == [
        ("Dracula", {"stock_quantity": ["2", "3"]}),
        ("Emma", {"price": ["9.50", "10.00"]}),
    ]


def test_show_all_of_every_list_fits_into_one_form():
    limit = settings.DATA_UPLOAD_MAX_NUMBER_FIELDS
    fields = {
        model._meta.label: site.list_max_show_all * (2 + 2 * len(site.list_editable))
        for model, site in admin.site._registry.items()
    }

    assert {model: number for model, number in fields.items() if number > limit - 20} == {}


def test_page_refuses_a_field_changed_by_two_and_merges_others(olga, bob, emma, novel):
    page = f"{BOOKS}{emma.pk}/change/"
    form = page_form(olga.get(page))
    theirs = page_form(bob.get(page))
    bob.post(page, theirs | {"price": "11.00", "description": "A comedy\r\nof manners."})

    refused = olga.post(page, form | {"price": "12.00", "stock_quantity": "6"})
    errors = dict(refused.context["adminform"].form.errors)
    saved = olga.post(page, page_form(refused))

    emma.refresh_from_db()
    assert list(errors) == ["price"]
    assert "bob@example.com changed it" in errors["price"][0]
    assert "showed “9.50”, it is “11.00” now, and you wrote “12.00”" in errors["price"][0]
    assert saved.status_code == 302
    assert (str(emma.price), emma.stock_quantity) == ("12.00", 6)
    assert emma.description == "A comedy\nof manners."


def test_page_tells_a_conflict_of_genres_by_their_names(olga, emma, novel):
    from catalog.tests.factories import GenreFactory

    horror, comedy = GenreFactory(name="Horror"), GenreFactory(name="Comedy")
    page = f"{BOOKS}{emma.pk}/change/"
    form = page_form(olga.get(page))
    Book.objects.update(genre=horror)

    response = olga.post(page, form | {"genre": comedy.pk})

    [reason] = response.context["adminform"].form.errors["genre"]
    assert "showed “Novel”, it is “Horror” now, and you wrote “Comedy”" in reason


@pytest.mark.parametrize("key", ["²", "9" * 5000])
def test_genre_that_cannot_be_is_refused(olga, emma, novel, key):
    page = f"{BOOKS}{emma.pk}/change/"
    form = page_form(olga.get(page))

    typed = olga.post(page, form | {"genre": key, "initial-genre": ""})
    shown = olga.post(page, form | {"genre": "", "initial-genre": key})

    assert [answer.status_code for answer in (typed, shown)] == [200, 200]
    assert [*typed.context["adminform"].form.errors, *shown.context["adminform"].form.errors] == ["genre", "genre"]


def page_form(response):
    """What a browser sends of a book's page."""
    form = response.context["adminform"].form
    sent = {}
    for bound in form:
        value = bound.value()
        sent[bound.html_name] = "" if value is None else str(value).replace("\n", "\r\n")
        shown = form.data.get(bound.html_initial_name) if form.is_bound else bound.initial
        sent[bound.html_initial_name] = "" if shown is None else str(shown).replace("\n", "\r\n")
    if form["is_active"].value() in (False, "False"):
        del sent["is_active"]
    return sent
