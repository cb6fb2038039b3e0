"""The pages and actions of each group of staff in the admin."""

import pytest
from django.contrib.auth.models import Group

from bookstore.accounts.models import LoginSession
from bookstore.accounts.tests.factories import StaffFactory, SuperuserFactory
from cart.tests.factories import CartFactory, CartItemFactory

pytestmark = pytest.mark.django_db

YES, NO = 200, 403
# The page, and its answer to: Customer support, Catalogue, a superuser, staff in no group.
PAGES = {
    "/admin/": (YES, YES, YES, YES),
    "/admin/cart/cart/": (YES, NO, YES, NO),
    "/admin/cart/cart/add/": (NO, NO, NO, NO),
    "/admin/cart/cart/{cart}/change/": (YES, NO, YES, NO),
    "/admin/cart/cart/{cart}/history/": (YES, NO, YES, NO),
    "/admin/cart/cart/{cart}/delete/": (NO, NO, YES, NO),
    "/admin/catalog/book/": (YES, YES, YES, NO),
    "/admin/catalog/book/add/": (NO, YES, YES, NO),
    "/admin/catalog/book/{book}/change/": (YES, YES, YES, NO),
    "/admin/catalog/book/{book}/history/": (YES, YES, YES, NO),
    "/admin/catalog/book/{book}/delete/": (NO, YES, YES, NO),
    "/admin/catalog/book/import/": (NO, YES, YES, NO),
    "/admin/catalog/book/export/": (YES, YES, YES, NO),
    "/admin/catalog/genre/": (YES, YES, YES, NO),
    "/admin/catalog/genre/add/": (NO, YES, YES, NO),
    "/admin/catalog/genre/{genre}/change/": (YES, YES, YES, NO),
    "/admin/catalog/genre/{genre}/delete/": (NO, YES, YES, NO),
    "/admin/accounts/user/": (YES, NO, YES, NO),
    "/admin/accounts/user/add/": (NO, NO, YES, NO),
    "/admin/accounts/user/{user}/change/": (YES, NO, YES, NO),
    "/admin/accounts/user/{user}/delete/": (NO, NO, YES, NO),
    "/admin/accounts/user/{user}/password/": (NO, NO, YES, NO),
    "/admin/accounts/loginsession/": (NO, NO, YES, NO),
    "/admin/accounts/loginsession/{session}/change/": (NO, NO, YES, NO),
    "/admin/auth/group/": (NO, NO, YES, NO),
    "/admin/auth/group/add/": (NO, NO, YES, NO),
}


OF_CARTS = [
    "Carts active each day",
    "Value lying in carts",
    "Books most often in carts",
    "In carts, but sold out or withdrawn",
]


@pytest.fixture
def ids(alice, emma, db):
    cart = CartFactory(user=alice)
    CartItemFactory(cart=cart, book=emma)
    session = LoginSession.objects.begin(alice)
    return {"cart": cart.pk, "book": emma.pk, "genre": emma.genre_id, "user": alice.pk, "session": session.pk}


def staff(who):
    if who == "superuser":
        return SuperuserFactory(email="olga@example.com")
    bob = StaffFactory(email="bob.staff@example.com")
    bob.groups.set(Group.objects.filter(name=who))
    return bob


@pytest.mark.slow
@pytest.mark.any_database
@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize(("column", "who"), list(enumerate(["Customer support", "Catalogue", "superuser", "no group"])))
def test_page_opens_for_whom_it_is_meant(client, ids, page, column, who):
    client.force_login(staff(who))

    response = client.get(page.format(**ids))

    assert response.status_code == PAGES[page][column]


def test_page_that_is_not_theirs_says_so_and_leads_back(client, ids):
    client.force_login(staff("Customer support"))

    response = client.get("/admin/catalog/book/add/")

    page = response.content.decode()
    assert response.status_code == 403
    assert "You are signed in as bob.staff@example.com, and your groups do not allow it." in page
    assert '<a href="/admin/">Back to the overview</a>' in page


def test_page_that_is_not_there_says_so_and_leads_back(client, ids):
    client.force_login(staff("Customer support"))

    response = client.get("/admin/nothing/")

    page = response.content.decode()
    assert response.status_code == 404
    assert "There is no such page" in page
    assert '<a href="/admin/">Back to the overview</a>' in page


@pytest.mark.parametrize("page", ["/admin/cart/cart/{cart}/change/", "/admin/catalog/book/{book}/change/"])
def test_page_that_support_may_look_at_takes_no_change(client, ids, page, emma):
    client.force_login(staff("Customer support"))

    response = client.post(page.format(**ids), {"verb": "clear", "title": "Emma, spoilt"})

    emma.refresh_from_db()
    assert response.status_code == 403
    assert emma.title == "Emma"


@pytest.mark.parametrize("page", ["import", "process_import"])
def test_import_by_support_is_refused(client, page, db):
    client.force_login(staff("Customer support"))

    assert client.post(f"/admin/catalog/book/{page}/", {}).status_code == 403


@pytest.mark.parametrize("action", ["withdraw", "put_back", "set_stock", "delete_selected"])
def test_action_on_books_is_not_there_for_support(client, ids, emma, action):
    client.force_login(staff("Customer support"))

    client.post("/admin/catalog/book/", {"action": action, "_selected_action": [emma.pk], "stock": 99, "post": "yes"})

    emma.refresh_from_db()
    assert (emma.is_active, emma.stock_quantity) == (True, 5)


@pytest.mark.parametrize(("who", "link"), [("Customer support", True), ("Catalogue", False)])
def test_number_of_carts_is_a_link_for_who_may_see_carts(client, ids, emma, who, link):
    client.force_login(staff(who))

    for page in ("/admin/catalog/book/", f"/admin/catalog/book/{emma.pk}/change/"):
        shown = client.get(page).content.decode()

        assert (f'<a href="/admin/cart/cart/?book={emma.pk}">1</a>' in shown) is link


@pytest.mark.parametrize(
    ("who", "titles"),
    [
        (
            "Customer support",
            OF_CARTS,
        ),
        ("Catalogue", OF_CARTS[2:]),
        ("no group", []),
    ],
)
def test_overview_shows_what_the_group_may_see(client, ids, who, titles):
    client.force_login(staff(who))

    response = client.get("/admin/")

    # The apps above have panels of their own.
    assert [panel.title for panel in response.context["panels"] if panel.title in OF_CARTS] == titles


@pytest.mark.parametrize("path", ["/admin/", "/admin/cart/cart/", "/admin/catalog/book/import/"])
def test_customer_is_sent_to_the_sign_in(client, alice, path):
    client.force_login(alice)

    response = client.get(path)

    assert response.status_code == 302
    assert response["Location"].startswith("/admin/login/")
