"""`manage.py load_demo`: loads a demo catalogue of real classics and two accounts."""

import csv
import os
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.db.models import CharField, Q, Value
from django.db.models.functions import Cast, Concat

from catalog.folding import fold, same_name
from catalog.isbn import clean_isbn
from catalog.models import Book, Genre

CATALOGUE = Path(__file__).resolve().parents[2] / "demo" / "books.csv"

READER = ("reader@example.com", "demo-reader-shelf")
STAFF = ("staff@example.com", "demo-staff-shelf")

TOUR = """\
{books} books in {genres} genres ({added}).

  customer  {reader[0]}   password {reader[1]}
  staff     {staff[0]}    password {staff[1]}

  {base}/shop/            the shop, in the browser
  {base}/docs             the API, to read and to try
  {base}/admin/           the staff's site
  {base}/books?q=austen   the catalogue

Once the server runs, fill the customer's cart:

  TOKEN=$(curl -s {base}/auth/login -H 'Content-Type: application/json' \\
    -d '{{"email": "{reader[0]}", "password": "{reader[1]}"}}' \\
    | python3 -c 'import json, sys; print(json.load(sys.stdin)["access_token"])')
  curl -s {base}/cart/items -H "Authorization: Bearer $TOKEN" -H 'Content-Type: application/json' \\
    -d '{{"book_id": {book.pk}, "quantity": 2}}'
  curl -s {base}/cart -H "Authorization: Bearer $TOKEN"
"""


class Command(BaseCommand):
    help = (
        "Load the demo: about 200 classics in their genres, a customer and a member of staff with known passwords. "
        "Every book without a cover gets a drawn one; all else that is there already stays as it is. Only with DEBUG=1."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEBUG:
            raise CommandError(
                "The demo has accounts whose passwords everybody can read, so it loads only with DEBUG=1. "
                "For a real catalogue and real staff: manage.py createsuperuser, then /admin/ or the API."
            )
        base = f"http://127.0.0.1:{os.environ.get('PORT') or 8000}"
        with transaction.atomic():
            added = add_missing_books()
            add_missing_covers(base)
            add_missing_accounts()
        there = Book.objects.in_stock()
        first = there.search("Emma Austen", most=1).first() or there.order_by("id").first()
        self.stdout.write(
            TOUR.format(
                books=Book.objects.count(),
                genres=Genre.objects.count(),
                added=f"{added} added now" if added else "nothing to add",
                reader=READER,
                staff=STAFF,
                base=base,
                book=first,
            )
        )


def add_missing_books() -> int:
    """Adds the books that are missing by title and author, or by ISBN. Returns how many. 5 queries at most."""
    with CATALOGUE.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    titles = {fold(row["title"]) for row in rows}
    isbns = {clean_isbn(row["isbn"]) for row in rows if row["isbn"]}
    known = set(Book.objects.filter(title_folded__in=titles).values_list("title_folded", "author_folded"))
    taken = set(Book.objects.filter(isbn__in=isbns).values_list("isbn", flat=True))
    missing = [
        row
        for row in rows
        if (fold(row["title"]), fold(row["author"])) not in known
        and not (row["isbn"] and clean_isbn(row["isbn"]) in taken)
    ]
    if missing:
        shelves = {same_name(row["genre"]): row["genre"] for row in missing}
        there = set(Genre.objects.filter(name_folded__in=shelves).values_list("name_folded", flat=True))
        Genre.objects.bulk_create(Genre(name=name) for key, name in shelves.items() if key not in there)
        genres = {genre.name_folded: genre for genre in Genre.objects.filter(name_folded__in=shelves)}
        Book.objects.bulk_create(book_of(row, genres[same_name(row["genre"])]) for row in missing)
    return len(missing)


def book_of(row: dict[str, str], genre: Genre) -> Book:
    return Book(
        title=row["title"],
        author=row["author"],
        genre=genre,
        price=Decimal(row["price"]),
        publish_date=date.fromisoformat(row["publish_date"]) if row["publish_date"] else None,
        stock_quantity=int(row["stock_quantity"]),
        isbn=row["isbn"] or None,
        description=row["description"] or None,
    )


def add_missing_covers(base: str) -> None:
    """Gives every book without a cover the one that `make run` draws at `base`, which an earlier run may have had at
    another port. 1 query.
    """
    drawn = Concat(Value(f"{base}/shop/covers/"), Cast("id", CharField()), Value(".svg"))
    at_another_port = Q(cover_image_url__regex=r"^http://127\.0\.0\.1:\d+/shop/covers/\d+\.svg$") & ~Q(
        cover_image_url__startswith=f"{base}/"
    )
    Book.objects.filter(Q(cover_image_url=None) | at_another_port).update(cover_image_url=drawn)


def add_missing_accounts() -> None:
    """Adds missing accounts. Existing ones keep their password and permissions."""
    users = get_user_model().objects
    if not users.filter(email=READER[0]).exists():
        users.create_user(*READER)
    if not users.filter(email=STAFF[0]).exists():
        users.create_superuser(*STAFF)
