"""The browser's back button shows what was true before: nothing is taken back by it, and nothing done twice."""

import pytest
from django.apps import apps

from tests.admin.test_forms_in_browser import BOOKS, emma, olga  # noqa: F401  # fixtures
from tests.support.browser import needs_chromium, new_page

pytestmark = [
    pytest.mark.slow,
    pytest.mark.any_database,
    pytest.mark.django_db(transaction=True),
    needs_chromium,
]

FILE = {"name": "books.csv", "mimeType": "text/csv", "buffer": b"title,author,price\nPersuasion,Jane Austen,8.00\n"}


def test_list_saved_again_after_back_takes_nothing_back(live_server, olga, emma):  # noqa: F811  # a fixture
    with new_page(live_server.url) as page:
        olga(page).goto(BOOKS)
        page.locator("input[name='form-0-price']").fill("12.00")
        page.get_by_role("button", name="Save", exact=True).first.click()
        page.locator(".messagelist").wait_for()
        page.go_back()
        page.locator("input[name='form-0-stock_quantity']").fill("7")
        page.get_by_role("button", name="Save", exact=True).first.click()
        page.locator(".messagelist").wait_for()

    emma.refresh_from_db()
    assert (str(emma.price), emma.stock_quantity) == ("12.00", 7)


def test_import_confirmed_again_after_back_adds_no_book_twice(live_server, olga):  # noqa: F811  # a fixture
    with new_page(live_server.url) as page:
        olga(page).goto(f"{BOOKS}import/")
        page.locator("input[type=file]").set_input_files(FILE)
        page.get_by_role("button", name="Show what would change").click()
        page.get_by_role("button", name="Import 1 book").click()
        page.locator(".messagelist").wait_for()
        page.go_back()
        again = page.get_by_role("button", name="Import 1 book")
        if again.count():
            again.click()
            told = page.locator(".messagelist").inner_text()
        else:
            told = page.locator("#content-main").inner_text()

    assert "imported" in told.lower()
    assert list(apps.get_model("catalog", "Book").objects.values_list("title", flat=True)) == ["Persuasion"]
