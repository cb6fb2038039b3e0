"""The pages of books and genres: tests/support/staff_pages.py."""

from typing import Any

from catalog.models import Book, Genre
from tests.support.staff_pages import CHANGED, READ, of_model, pages, staff

PAGES = {
    **of_model("catalog/genre"),
    **of_model("catalog/book"),
    "catalog/book/import/": pages(READ, READ),
    "catalog/book/process_import/": pages(CHANGED, CHANGED),
    "catalog/book/import/template/": pages(READ, READ),
    # There is no import to look at.
    "catalog/book/import/<id:key>/": pages(staff(404, 403), staff(404, 403)),
    "catalog/book/import/<id:key>/rows/": pages(staff(404, 403), staff(404, 403)),
    "catalog/book/import/<id:key>/read/": pages(staff(404, 403), staff(404, 403)),
    "catalog/book/import/<id:key>/cancel/": pages(staff(404, 403), staff(404, 403)),
    "catalog/book/export/": pages(READ, READ),
}
MODELS = ("catalog.Genre", "catalog.Book")
BOOK = {
    "title": "Dracula",
    "author": "Bram Stoker",
    "price": "9.50",
    "stock_quantity": "3",
    "popularity": "0",
    "is_active": "on",
}
FORMS: dict[str, dict[str, Any]] = {
    "catalog/genre/add/": {"name": "Gothic"},
    "catalog/genre/<path:object_id>/change/": {"name": "Gothic"},
    "catalog/book/add/": BOOK,
    "catalog/book/<path:object_id>/change/": BOOK,
}
ACTIONS = {"catalog/book/": "withdraw"}
# There is no file to import; a deletion of several leads to the page that asks.
ONLY_LED_ON = {"catalog/book/process_import/", "catalog/genre/"}


def furnish(site: Any) -> None:
    site.objects["catalog/genre/"] = Genre.objects.create(name="Classics")
    site.objects["catalog/book/"] = Book.objects.create(
        title="Emma", author="Jane Austen", price="9.50", stock_quantity=5
    )
