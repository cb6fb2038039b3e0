"""/admin/cart/cart/<id>/change/: staff see a cart, and change it by the verbs."""

from decimal import Decimal

import pytest
from django.contrib.auth.models import Permission

from bookstore.accounts.tests.factories import StaffFactory
from bookstore.audit.models import AuditChange
from cart.admin.verbs import CHANGED_MEANWHILE
from cart.models import Cart, CartItem
from cart.tests.admin_pages import LIST, cart_of, page_of
from cart.tests.factories import CartFactory, CartItemFactory
from catalog.tests.factories import BookFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def site_of(client):
    """`site_of("view_cart")`: the site as Bob's, who is staff with just these permissions."""

    def sign_in(*codenames):
        bob = StaffFactory(email="bob.staff@example.com")
        bob.user_permissions.set(Permission.objects.filter(codename__in=codenames))
        client.force_login(bob)
        return client

    return sign_in


def told(response):
    return [str(message) for message in response.context["messages"]]


def history_of(cart):
    """[(email of the actor, {title: [copies before, copies after]})], the oldest first."""
    return [(change.event.actor, change.fields) for change in AuditChange.objects.of(cart).reverse()]


def test_page_shows_customer_lines_prices_stock_problem_and_totals(staff, alice, emma):
    cart = CartFactory(user=alice)
    line = CartItemFactory(cart=cart, book=emma, quantity=7, price_at_add="8.00")

    page = " ".join(staff.get(page_of(cart)).content.decode().split())

    assert f'<a href="/admin/accounts/user/{alice.pk}/change/">alice@example.com</a>' in page
    assert f'<a href="/admin/catalog/book/{emma.pk}/change/">Emma</a>' in page
    assert 'src="https://covers.example/emma.jpg"' in page
    row = page.split(f'id="line-{line.pk}"')[1].split("</tr>")[0]
    for label, value in (("Unit price then", "8.00 USD"), ("Now", "<strong>9.50 USD</strong>"), ("Stock", "5")):
        assert f'data-label="{label}">{value}</td>' in row
    assert 'data-label="Line total">66.50 USD</td>' in row
    assert ">short: 5 left</span>" in row
    assert ">price changed</span>" in row
    assert "56.00 USD</span>66.50 USD</dd>" in page


@pytest.mark.parametrize("lines", [1, 3])
def test_page_costs_a_constant_number_of_queries(staff, lines, django_assert_num_queries):
    cart = cart_of("alice@example.com", *BookFactory.create_batch(lines))

    with django_assert_num_queries(4):  # session, user; the cart with its user; the lines with their books
        response = staff.get(page_of(cart))

    assert response.status_code == 200


def test_page_of_an_empty_cart_and_of_none(staff, alice):
    cart = CartFactory(user=alice)

    assert "The cart is empty." in staff.get(page_of(cart)).content.decode()
    assert staff.get(f"{LIST}{cart.pk + 1}/change/").status_code == 302


def test_support_staff_look_and_are_offered_no_change(site_of, emma):
    cart = cart_of("alice@example.com", emma)
    site = site_of("view_cart")

    page = site.get(page_of(cart)).content.decode()

    assert "Emma" in page
    assert 'name="verb"' not in page
    assert f"/admin/catalog/book/{emma.pk}/change/" not in page


@pytest.mark.parametrize("verb", ["quantity", "remove", "add", "clear"])
def test_change_without_the_permission_is_refused(site_of, emma, dracula, verb):
    cart = cart_of("alice@example.com", emma)
    line = cart.lines[0]
    site = site_of("view_cart", "view_book")

    response = site.post(page_of(cart), {"verb": verb, "line": line.pk, "quantity": 3, "book": dracula.pk})

    assert response.status_code == 403
    assert list(CartItem.objects.values_list("book", "quantity")) == [(emma.pk, 1)]


def test_page_is_closed_to_staff_without_permission(site_of, emma):
    cart = cart_of("alice@example.com", emma)
    site = site_of()

    assert site.get(LIST).status_code == 403
    assert site.get(page_of(cart)).status_code == 403


def test_quantity_is_changed_at_todays_price_and_is_in_the_history(site_of, emma):
    cart = cart_of("alice@example.com", emma, quantity=2, price_at_add="8.00")
    site = site_of("view_cart", "change_cart")

    response = site.post(page_of(cart), {"verb": "quantity", "line": cart.lines[0].pk, "quantity": 4}, follow=True)

    assert told(response) == ["Changed the quantity of “Emma” from 2 to 4."]
    assert list(CartItem.objects.values_list("quantity", "price_at_add")) == [(4, Decimal("9.50"))]
    assert history_of(cart) == [("bob.staff@example.com", {"Emma": ["2", "4"]})]
    assert "bob.staff@example.com" in site.get(f"{LIST}{cart.pk}/history/").content.decode()


@pytest.mark.parametrize(
    ("quantity", "reason"),
    [
        ("0", "The least is 1."),
        ("1000", "The most is 999."),
        ("two", "Write a whole number, such as 12."),
        ("", "Fill this in."),
    ],
)
def test_quantity_out_of_range_changes_nothing_and_says_why(staff, emma, quantity, reason):
    cart = cart_of("alice@example.com", emma, quantity=2)

    response = staff.post(
        page_of(cart), {"verb": "quantity", "line": cart.lines[0].pk, "quantity": quantity}, follow=True
    )

    assert told(response) == [f"Nothing was changed: Quantity: {reason}"]
    assert CartItem.objects.get().quantity == 2
    assert history_of(cart) == []


def test_line_is_removed(staff, emma, dracula):
    cart = cart_of("alice@example.com", dracula, emma)
    line = cart.lines[1].pk

    response = staff.post(page_of(cart), {"verb": "remove", "line": line, "version": cart.version}, follow=True)

    assert told(response) == ["Removed “Emma” (1)."]
    assert list(CartItem.objects.values_list("book", flat=True)) == [dracula.pk]
    assert history_of(cart) == [("olga@example.com", {"Emma": ["1", ""]})]


@pytest.mark.parametrize("verb", ["quantity", "remove"])
def test_line_of_another_cart_or_of_none_is_not_found(staff, emma, verb):
    cart = cart_of("alice@example.com")
    other = cart_of("bob@example.com", emma)

    for line in (other.lines[0].pk, 10**30, "x", ""):
        form = {"verb": verb, "line": line, "quantity": 5, "version": cart.version}
        response = staff.post(page_of(cart), form, follow=True)

        assert told(response) == ["Nothing was changed: This line is not in the cart any more."]
    assert CartItem.objects.get().quantity == 1


def test_book_is_added(staff, emma):
    cart = cart_of("alice@example.com")

    response = staff.post(page_of(cart), {"verb": "add", "book": emma.pk, "quantity": 3}, follow=True)

    assert told(response) == ["Added “Emma” (3)."]
    assert list(CartItem.objects.values_list("cart", "book", "quantity")) == [(cart.pk, emma.pk, 3)]
    assert history_of(cart) == [("olga@example.com", {"Emma": ["", "3"]})]


def test_book_that_the_verb_refuses_is_not_added_and_reported(staff, emma, settings):
    settings.CART_MAX_LINES = 1
    cart = cart_of("alice@example.com", emma)
    refusals = {
        emma.pk: "This book is already in the cart",
        BookFactory(stock_quantity=0).pk: "This book is sold out.",
        BookFactory(is_active=False).pk: "This book was deleted or withdrawn",
        BookFactory().pk: "The cart is full",
    }

    for book, reason in refusals.items():
        response = staff.post(page_of(cart), {"verb": "add", "book": book, "quantity": 1}, follow=True)

        assert told(response)[0].startswith(f"Nothing was changed: {reason}")
    assert CartItem.objects.count() == 1
    assert history_of(cart) == []


def test_cart_is_cleared(staff, emma, dracula):
    cart = cart_of("alice@example.com", emma, dracula)

    response = staff.post(page_of(cart), {"verb": "clear", "version": cart.version}, follow=True)

    assert told(response) == ["Cleared the cart: 2 lines removed."]
    assert not CartItem.objects.exists()
    assert history_of(cart) == [("olga@example.com", {"Emma": ["1", ""], "Dracula": ["1", ""]})]


@pytest.mark.parametrize(
    ("verb", "question"),
    [("remove", "Take “Emma” (1) out of this cart?"), ("clear", "Take all 2 lines out of this cart?")],
)
def test_taking_lines_out_asks_first(staff, emma, dracula, verb, question):
    cart = cart_of("alice@example.com", dracula, emma)

    response = staff.post(page_of(cart), {"verb": verb, "line": cart.lines[1].pk})

    assert response.status_code == 200
    assert response.context["question"]["text"] == question
    assert response.context["question"]["version"] == cart.version
    assert CartItem.objects.count() == 2
    assert history_of(cart) == []


def test_clearing_a_cart_of_one_line_asks_first(staff, emma):
    cart = cart_of("alice@example.com", emma)

    response = staff.post(page_of(cart), {"verb": "clear"})

    assert response.context["question"]["text"] == "Clear this cart?"
    assert CartItem.objects.count() == 1


@pytest.mark.parametrize(
    ("verb", "reason"),
    [("remove", "This line is not in the cart any more."), ("clear", "The cart is empty already.")],
)
def test_taking_out_what_is_gone_says_so(staff, emma, verb, reason):
    cart = cart_of("alice@example.com", emma)
    line = cart.lines[0].pk
    CartItem.objects.all().delete()

    response = staff.post(page_of(cart), {"verb": verb, "line": line}, follow=True)

    assert told(response) == [f"Nothing was changed: {reason}"]
    assert history_of(cart) == []


@pytest.mark.parametrize("verb", ["remove", "clear"])
def test_lines_stay_when_the_cart_changed_after_the_question(staff, emma, dracula, verb):
    cart = cart_of("alice@example.com", emma)
    form = {"verb": verb, "line": cart.lines[0].pk, "version": cart.version}
    CartItemFactory(cart=cart, book=dracula)

    response = staff.post(page_of(cart), form, follow=True)

    assert told(response) == [f"Nothing was changed: {CHANGED_MEANWHILE}"]
    assert CartItem.objects.count() == 2


def test_undo_puts_the_lines_back_as_they_were(staff, emma, dracula):
    cart = cart_of("alice@example.com", emma, dracula, quantity=3, price_at_add="8.00")
    staff.post(page_of(cart), {"verb": "clear", "version": cart.version})

    response = staff.post(page_of(cart), {"verb": "undo"}, follow=True)

    assert told(response) == ["Cleared the cart: 2 lines removed.", "Put 2 lines back."]
    assert list(CartItem.objects.order_by("book_id").values_list("book", "quantity", "price_at_add")) == [
        (emma.pk, 3, Decimal("8.00")),
        (dracula.pk, 3, Decimal("8.00")),
    ]
    assert history_of(cart)[-1] == ("olga@example.com", {"Emma": ["", "3"], "Dracula": ["", "3"]})


def test_undo_leaves_out_what_was_deleted_or_is_in_the_cart_again(staff, emma, dracula):
    cart = cart_of("alice@example.com", emma, dracula, BookFactory(title="Persuasion"))
    staff.post(page_of(cart), {"verb": "clear", "version": cart.version})
    cart.add(emma, 7)
    dracula.delete()

    response = staff.post(page_of(cart), {"verb": "undo"}, follow=True)

    assert told(response)[-1] == "Put 1 line of 3 back."
    assert sorted(CartItem.objects.values_list("book__title", "quantity")) == [("Emma", 7), ("Persuasion", 1)]


def test_undo_that_can_put_no_line_back_says_so(staff, emma):
    cart = cart_of("alice@example.com", emma)
    staff.post(page_of(cart), {"verb": "clear", "version": cart.version})
    emma.delete()

    response = staff.post(page_of(cart), {"verb": "undo"}, follow=True)

    assert told(response)[-1] == (
        "Nothing was changed: None of these lines can be put back: they are in the cart again, or their books are gone."
    )
    assert not CartItem.objects.exists()


def test_undo_is_of_one_cart_and_of_its_last_change(staff, emma, dracula):
    cart, other = cart_of("alice@example.com", emma, dracula), cart_of("bob@example.com")
    staff.post(page_of(cart), {"verb": "remove", "line": cart.lines[0].pk, "version": cart.version})

    staff.post(page_of(other), {"verb": "undo"})
    staff.post(page_of(cart), {"verb": "quantity", "line": cart.lines[0].pk, "quantity": 2})
    staff.post(page_of(cart), {"verb": "undo"})

    assert list(CartItem.objects.values_list("book__title", "quantity")) == [("Dracula", 2)]


def test_quantity_changed_meanwhile_is_refused_with_both_values(staff, emma):
    cart = cart_of("alice@example.com", emma, quantity=2)
    form = {"verb": "quantity", "line": cart.lines[0].pk, "quantity": 4, "shown": 2}
    cart.lines[0].change_quantity(7)

    response = staff.post(page_of(cart), form, follow=True)

    assert told(response) == [
        "Nothing was changed: This page showed 2 of “Emma”, there are 7 in the cart now, and you wrote 4. "
        "Set it again if you mean it."
    ]
    assert CartItem.objects.get().quantity == 7


def test_quantity_that_is_there_already_changes_nothing(staff, emma):
    cart = cart_of("alice@example.com", emma, quantity=2, price_at_add="8.00")
    form = {"verb": "quantity", "line": cart.lines[0].pk, "quantity": 2, "shown": 2}

    response = staff.post(page_of(cart), form, follow=True)

    assert told(response) == ["Nothing was changed: There are 2 of “Emma” in the cart already."]
    assert CartItem.objects.get().price_at_add == Decimal("8.00")
    assert history_of(cart) == []


def test_shown_quantity_that_cannot_be_is_ignored(staff, emma):
    cart = cart_of("alice@example.com", emma)
    form = {"verb": "quantity", "line": cart.lines[0].pk, "quantity": 2, "shown": "9" * 5000}

    response = staff.post(page_of(cart), form, follow=True)

    assert told(response) == ["Changed the quantity of “Emma” from 1 to 2."]


def test_form_without_a_verb_changes_nothing(staff, emma):
    cart = cart_of("alice@example.com", emma)

    response = staff.post(page_of(cart), {"verb": "explode"}, follow=True)

    assert told(response) == ["Nothing was changed: the form did not say what to do."]
    assert CartItem.objects.count() == 1


def test_staff_who_may_delete_users_are_not_held_up_by_a_cart(site_of, emma):
    cart = cart_of("alice@example.com", emma)
    site = site_of("view_user", "delete_user")

    response = site.post(f"/admin/accounts/user/{cart.user_id}/delete/", {"post": "yes"})

    assert response.status_code == 302
    assert not Cart.objects.exists()
