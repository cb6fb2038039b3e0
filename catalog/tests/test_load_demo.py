"""manage.py load_demo"""

import csv
import json
import shutil
import subprocess
from io import StringIO

import pytest
from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command

from catalog.management.commands.load_demo import CATALOGUE, READER, STAFF
from catalog.models import Book, Genre
from tests.support.server import running_server, shell_environment

User = get_user_model()


def load(settings):
    settings.DEBUG = True
    output = StringIO()
    call_command("load_demo", stdout=output)
    return output.getvalue()


def everything():
    """Each row of the demo, with all its columns."""
    return [list(model.objects.order_by("pk").values()) for model in (Genre, Book, User)]


def rows():
    with CATALOGUE.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.django_db
def test_load_demo_loads_every_row_of_the_file(settings):
    output = load(settings)

    loaded = Book.objects.select_related("genre").order_by("id")
    assert [(book.title, book.author, book.genre.name, str(book.price), book.stock_quantity) for book in loaded] == [
        (row["title"], row["author"], row["genre"], row["price"], int(row["stock_quantity"])) for row in rows()
    ]
    assert f"{len(rows())} books in {Genre.objects.count()} genres ({len(rows())} added now)" in output


@pytest.mark.django_db
def test_load_demo_a_second_time_changes_nothing(settings, django_assert_max_num_queries):
    load(settings)
    before = everything()

    with django_assert_max_num_queries(11):
        output = load(settings)

    assert everything() == before
    assert "nothing to add" in output


@pytest.mark.django_db
def test_load_demo_leaves_what_was_changed(settings):
    load(settings)
    Book.objects.search("frankenstein").first().change(price="1.00")
    reader = User.objects.get(email=READER[0])
    reader.set_password("a password of my own")
    reader.save()
    before = everything()

    load(settings)

    assert everything() == before


@pytest.mark.django_db
def test_load_demo_gives_covers_that_the_demo_serves_at_its_port(settings, monkeypatch):
    load(settings)
    book, own = Book.objects.order_by("id")[:2]
    own.change(cover_image_url="https://covers.example.com/1.jpg")
    monkeypatch.setenv("PORT", "8001")

    load(settings)

    covers = Book.objects.order_by("id").values_list("cover_image_url", flat=True)
    assert book.cover_image_url == f"http://127.0.0.1:8000/shop/covers/{book.pk}.svg"
    assert list(covers[:2]) == [
        f"http://127.0.0.1:8001/shop/covers/{book.pk}.svg",
        "https://covers.example.com/1.jpg",
    ]


@pytest.mark.django_db
def test_load_demo_keeps_to_one_book_of_an_isbn(settings):
    row = next(row for row in rows() if row["isbn"])
    Book.objects.add(title="Bought elsewhere", author="Nobody", price=1, isbn=row["isbn"])

    load(settings)

    assert Book.objects.count() == len(rows())


@pytest.mark.django_db
def test_load_demo_makes_a_customer_and_a_member_of_staff(settings):
    output = load(settings)

    reader, staff = User.objects.get(email=READER[0]), User.objects.get(email=STAFF[0])
    assert (reader.is_staff, reader.is_superuser) == (False, False)
    assert (staff.is_staff, staff.is_superuser) == (True, True)
    assert reader.check_password(READER[1])
    assert staff.check_password(STAFF[1])
    assert all(word in output for word in (*READER, *STAFF))


@pytest.mark.django_db
def test_load_demo_without_debug_is_refused_and_loads_nothing(settings):
    settings.DEBUG = False

    with pytest.raises(CommandError, match="only with DEBUG=1"):
        call_command("load_demo")

    assert everything() == [[], [], []]


@pytest.mark.django_db
def test_load_demo_tells_the_port_of_the_environment(settings, monkeypatch):
    monkeypatch.setenv("PORT", "8765")

    output = load(settings)

    assert "http://127.0.0.1:8765/docs" in output
    assert "8000" not in output


@pytest.mark.slow
@pytest.mark.postgres
@pytest.mark.skipif(not shutil.which("curl"), reason="the tour is pasted into a shell, and there is no curl on PATH")
@pytest.mark.django_db(transaction=True)
def test_load_demo_prints_a_tour_that_works_when_pasted(settings, monkeypatch):
    settings.PASSWORD_HASHERS = ["bookstore.accounts.hashers.Argon2id"]  # as the server reads them
    with running_server() as port:
        monkeypatch.setenv("PORT", str(port))
        tour = load(settings).partition("cart:\n")[2]

        pasted = subprocess.run(
            ["/bin/sh", "-ec", tour], capture_output=True, text=True, timeout=30, env=shell_environment()
        )

    item, cart = answers_in(pasted.stdout)
    assert pasted.returncode == 0
    assert item["quantity"] == 2
    assert cart["items"] == [item]
    assert cart["total_items"] == 2


def answers_in(output):
    """The JSON answers that curl wrote one after the other."""
    answers, decoder = [], json.JSONDecoder()
    while output := output.strip():
        answer, end = decoder.raw_decode(output)
        answers.append(answer)
        output = output[end:]
    return answers
