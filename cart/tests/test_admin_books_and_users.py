"""What carts add to the admin pages of books and users."""

import pytest
from django.contrib.auth.models import Permission

from bookstore.accounts.tests.factories import StaffFactory, UserFactory
from cart.admin import books
from cart.models import CartItem
from cart.tests.factories import CartFactory, CartItemFactory
from catalog.models import Book

pytestmark = pytest.mark.django_db

BOOKS = "/admin/catalog/book/"
USERS = "/admin/accounts/user/"


def put_into_carts(book, number):
    for count in range(number):
        CartItemFactory(cart=CartFactory(user=UserFactory(email=f"reader{count}@example.com")), book=book)


@pytest.mark.parametrize(
    ("carts", "told"),
    [(0, "Emma, which is in no cart"), (1, "Emma, which leaves 1 cart"), (3, "Emma, which leaves 3 carts")],
)
def test_deleting_a_book_tells_how_many_carts_lose_it(staff, emma, carts, told, django_assert_num_queries):
    put_into_carts(emma, carts)

    with django_assert_num_queries(4):  # session, user, the book, how many carts hold it
        response = staff.get(f"{BOOKS}{emma.pk}/delete/")

    assert response.context["deleted_objects"] == [told]


def test_deleting_a_book_in_many_carts_counts_a_bounded_number(staff, emma, monkeypatch):
    monkeypatch.setattr(books, "MOST", 2)
    put_into_carts(emma, 3)

    response = staff.get(f"{BOOKS}{emma.pk}/delete/")

    assert response.context["deleted_objects"] == ["Emma, which leaves 2+ carts"]


def test_deleting_several_books_tells_it_of_each(staff, emma, dracula):
    put_into_carts(dracula, 2)
    chosen = {"action": "delete_selected", "_selected_action": [emma.pk, dracula.pk]}

    asked = staff.post(BOOKS, chosen, follow=True)
    done = staff.post(asked.request["PATH_INFO"], {"step": "run"})

    assert asked.context["preview"] == [("Emma, which is in no cart", ""), ("Dracula, which leaves 2 carts", "")]
    assert done.status_code == 302
    assert not Book.objects.exists()
    assert not CartItem.objects.exists()


def test_page_of_a_user_leads_to_their_cart(staff, alice):
    cart = CartFactory(user=alice)

    page = staff.get(f"{USERS}{alice.pk}/change/").content.decode()

    assert f'<a href="/admin/cart/cart/{cart.pk}/change/">last change {cart.updated_at:%Y-%m-%d %H:%M} UTC</a>' in page


def test_page_of_a_user_without_a_cart_says_so(staff, alice):
    page = staff.get(f"{USERS}{alice.pk}/change/").content.decode()

    assert "None yet: the first book that is added makes one." in page


def test_user_page_shows_no_cart_to_staff_without_the_permission(client, alice):
    CartFactory(user=alice)
    bob = StaffFactory(email="bob@example.com")
    bob.user_permissions.set(Permission.objects.filter(codename="view_user"))
    client.force_login(bob)

    page = client.get(f"{USERS}{alice.pk}/change/").content.decode()

    assert "alice@example.com" in page
    assert "/admin/cart/" not in page


def test_a_new_user_is_asked_for_no_cart(staff):
    page = staff.get(f"{USERS}add/").content.decode()

    assert "In the shop" not in page
