"""Every page of the staff's site in a real browser, on a desk and on a telephone: nothing outside of the window."""

import pytest
from django.test import Client

from bookstore.accounts.models import User
from bookstore.accounts.tests.factories import SuperuserFactory
from tests.admin.test_matrix import CAROL, TABLE, Site
from tests.support.browser import needs_chromium, new_page

pytestmark = [
    pytest.mark.slow,
    pytest.mark.any_database,
    pytest.mark.django_db(transaction=True),
    needs_chromium,
]

LONG = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft"
# Pages wider than the window, and lists with a column outside of their part of it.
TOO_WIDE = """() => {
  const list = document.querySelector("#changelist-form .results");
  return document.documentElement.scrollWidth > window.innerWidth || (list && list.scrollWidth > list.clientWidth);
}"""


@pytest.fixture
def cookie(transactional_db):
    """Of a superuser's session, in a shop whose names are long."""
    site = Site()
    book = site.objects["catalog/book/"]
    book.change(title=LONG, author=LONG, isbn="9780141439587", genre_id=site.objects["catalog/genre/"].pk)
    User.objects.filter(pk=site.alice.pk).update(email=f"elizabeth.bennet@{LONG[:40].lower()}.example.com")
    client = Client()
    client.force_login(SuperuserFactory(email="olga@example.com"))
    routes = [route for route, answers in TABLE.items() if answers["GET"][CAROL] == 200]
    files = ("export/", "template/")
    return client.cookies["sessionid"].value, [site.path(route) for route in routes if not route.endswith(files)]


@pytest.mark.parametrize("width", [1280, 390])
def test_no_page_is_wider_than_the_window(live_server, cookie, width):
    value, paths = cookie
    too_wide = []

    with new_page(live_server.url, width) as page:
        page.context.add_cookies([{"name": "sessionid", "value": value, "url": live_server.url}])
        for path in paths:
            page.goto(path)
            if page.evaluate(TOO_WIDE):
                too_wide.append(path)

    assert too_wide == []
    assert len(paths) > 20
