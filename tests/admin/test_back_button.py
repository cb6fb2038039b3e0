"""The browser's back button shows what was true before: nothing is taken back by it, and nothing done twice."""

import pytest
from django.apps import apps
from playwright.sync_api import expect

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
        expect(page.locator(".messagelist")).to_be_visible()
        page.go_back()
        expect(page.locator(".messagelist")).to_have_count(0)
        page.locator("input[name='form-0-stock_quantity']").fill("7")
        page.get_by_role("button", name="Save", exact=True).first.click()
        expect(page.locator(".messagelist")).to_be_visible()

    emma.refresh_from_db()
    assert (str(emma.price), emma.stock_quantity) == ("12.00", 7)


def test_import_cannot_be_confirmed_again_after_back(live_server, olga):  # noqa: F811  # a fixture
    with new_page(live_server.url) as page:
        olga(page).goto(f"{BOOKS}import/")
        page.locator("input[type=file]").set_input_files(FILE)
        page.get_by_role("button", name="Show what would change").click()
        page.get_by_role("button", name="Import 1 book").click()
        page.locator(".messagelist").wait_for()
        page.go_back()
        expect(page.locator("#content-main")).to_contain_text("separated by commas. Imported.")
        expect(page.get_by_role("button", name="Import 1 book")).to_have_count(0)

    assert list(apps.get_model("catalog", "Book").objects.values_list("title", flat=True)) == ["Persuasion"]
