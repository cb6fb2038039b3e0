"""/admin/cart/cart/: staff see carts, and change them by the verbs."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.contrib.auth.models import Permission
from django.utils.timezone import now

from bookstore.accounts.tests.factories import StaffFactory, UserFactory
from bookstore.audit.models import AuditChange
from cart.admin import querysets as admin_querysets
from cart.admin.verbs import CHANGED_MEANWHILE
from cart.models import Cart, CartItem
from cart.tests.factories import CartFactory, CartItemFactory
from catalog.models import Book
from catalog.tests.factories import BookFactory

pytestmark = pytest.mark.django_db

LIST = "/admin/cart/cart/"


@pytest.fixture
def site_of(client):
    """`site_of("view_cart")`: the site as Bob's, who is staff with just these permissions."""

    def sign_in(*codenames):
        bob = StaffFactory(email="bob.staff@example.com")
        bob.user_permissions.set(Permission.objects.filter(codename__in=codenames))
        client.force_login(bob)
        return client

    return sign_in


def emails(response):
    assert response.status_code == 200
    return [cart.user.email for cart in response.context["cl"].result_list]


def told(response):
    return [str(message) for message in response.context["messages"]]


def idle(cart, **time):
    Cart.objects.filter(pk=cart.pk).update(updated_at=now() - timedelta(**time))
    return cart


def cart_of(email, *books, **line):
    cart = CartFactory(user=UserFactory(email=email))
    for book in books:
        CartItemFactory(cart=cart, book=book, **line)
    return cart


def page_of(cart):
    return f"{LIST}{cart.pk}/change/"


# --- The list


def test_list_shows_email_lines_copies_total_and_how_long_it_is_idle(staff, alice, emma, dracula):
    cart = idle(CartFactory(user=alice), days=3, hours=5)
    CartItemFactory(cart=cart, book=emma, quantity=2)
    CartItemFactory(cart=cart, book=dracula, quantity=2)

    page = staff.get(LIST).content.decode()

    assert "alice@example.com</a>" in page
    for column, value in (("line_count", "2"), ("copies", "4"), ("total", "43.50 USD")):
        assert f'<td class="field-{column}">{value}</td>' in page
    assert ">3 days</time>" in page
    assert 'class="problem ' not in page


def test_list_shows_amounts_in_the_currency_of_the_shop(staff, emma, settings):
    settings.SHOP_CURRENCY = "EUR"
    cart_of("alice@example.com", emma)

    assert "9.50 EUR</td>" in staff.get(LIST).content.decode()


def test_list_has_the_cart_that_changed_last_first(staff, emma):
    idle(cart_of("alice@example.com"), days=2)
    idle(cart_of("bob@example.com"), hours=1)
    idle(cart_of("carol@example.com"), days=1)

    assert emails(staff.get(LIST)) == ["bob@example.com", "carol@example.com", "alice@example.com"]
    assert emails(staff.get(LIST, {"o": "-4"})) == ["alice@example.com", "carol@example.com", "bob@example.com"]


@pytest.mark.parametrize(
    ("change", "quantity", "word"),
    [
        ({"is_active": False, "stock_quantity": 0, "price": "1.00"}, 1, "withdrawn"),
        ({"stock_quantity": 0, "price": "1.00"}, 1, "sold out"),
        ({"stock_quantity": 2, "price": "1.00"}, 3, "short"),
        ({"price": "1.00"}, 1, "price changed"),
    ],
)
def test_list_names_the_worst_problem(staff, emma, dracula, change, quantity, word):
    cart = cart_of("alice@example.com", dracula)
    CartItemFactory(cart=cart, book=emma, quantity=quantity)
    Book.objects.filter(pk=emma.pk).update(**change)

    page = staff.get(LIST).content.decode()

    assert page.count('<span class="problem ') == 1
    assert f">{word}</span>" in page


@pytest.mark.parametrize("carts", [1, 3])
@pytest.mark.parametrize(
    ("query", "queries"),
    [
        ("", 5),  # session, user; the keys; the page with its users; the lines with their books
        ("?activity=today", 5),
        ("?problem=any", 7),  # two more: the newest, and those of them with a problem
        ("?content=lines", 7),
        ("?q=alice", 13),  # up to eight more: users, and the search of books through all of its tiers
        ("?q=emma", 11),  # users, the search of books, the lines of the books
        ("?q=9780141439587", 10),
    ],
)
def test_list_costs_a_bounded_number_of_queries(staff, carts, query, queries, emma, django_assert_max_num_queries):
    Book.objects.filter(pk=emma.pk).update(isbn="9780141439587", stock_quantity=0)
    for number in range(carts):
        cart_of(f"alice{number}@example.com", emma, BookFactory())

    with django_assert_max_num_queries(queries):
        response = staff.get(f"{LIST}{query}")

    assert len(emails(response)) == carts


def test_list_never_counts_all_carts(staff, emma, django_assert_max_num_queries):
    cart_of("alice@example.com", emma)

    with django_assert_max_num_queries(5) as queries:
        staff.get(LIST)

    assert [query["sql"] for query in queries if "COUNT(" in query["sql"].upper()] == []


def test_list_that_is_longer_than_its_bound_says_so(staff, monkeypatch):
    monkeypatch.setattr("bookstore.admin.lists.MAX_LISTED", 2)
    for name in ("alice", "bob", "carol"):
        cart_of(f"{name}@example.com")

    response = staff.get(LIST)

    assert len(emails(response)) == 2
    assert (
        "More than 2 carts" in " ".join(response.content.decode().split()) or "More than" in response.content.decode()
    )


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        ("today", ["now"]),
        ("week", ["now", "six-days"]),
        ("month", ["now", "six-days", "four-weeks"]),
        ("abandoned", ["a-month", "a-year"]),
        ("nonsense", ["now", "six-days", "four-weeks", "a-month", "a-year"]),
    ],
)
def test_list_is_filtered_by_the_last_change(staff, chosen, expected):
    for name, days in (("now", 0), ("six-days", 6), ("four-weeks", 28), ("a-month", 31), ("a-year", 365)):
        idle(cart_of(f"{name}@example.com"), days=days)

    assert emails(staff.get(LIST, {"activity": chosen})) == [f"{name}@example.com" for name in expected]


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        ("any", {"withdrawn", "sold-out", "short", "dearer"}),
        ("withdrawn", {"withdrawn"}),
        ("sold-out", {"sold-out"}),
        ("short", {"short"}),
        ("price-changed", {"dearer"}),
        ("nonsense", {"withdrawn", "sold-out", "short", "dearer", "fine", "unknown-price"}),
    ],
)
def test_list_is_filtered_by_problem(staff, chosen, expected):
    cart_of("withdrawn@example.com", BookFactory(is_active=False, stock_quantity=0))
    cart_of("sold-out@example.com", BookFactory(stock_quantity=0))
    cart_of("short@example.com", BookFactory(stock_quantity=1), quantity=2)
    cart_of("dearer@example.com", BookFactory(price="9.00"), price_at_add="8.00")
    cart_of("fine@example.com", BookFactory())
    cart_of("unknown-price@example.com", BookFactory(), price_at_add=None)

    found = emails(staff.get(LIST, {"problem": chosen}))

    assert {email.split("@")[0] for email in found} == expected


def test_list_is_filtered_by_content(staff, emma):
    cart_of("alice@example.com", emma)
    cart_of("bob@example.com")

    assert emails(staff.get(LIST, {"content": "empty"})) == ["bob@example.com"]
    assert emails(staff.get(LIST, {"content": "lines"})) == ["alice@example.com"]


def test_filters_narrow_each_other(staff, emma):
    Book.objects.filter(pk=emma.pk).update(stock_quantity=0)
    emma.refresh_from_db()
    idle(cart_of("alice@example.com", emma), days=40)
    cart_of("bob@example.com", emma)

    found = staff.get(LIST, {"activity": "abandoned", "problem": "sold-out", "content": "lines"})

    assert emails(found) == ["alice@example.com"]


def test_filter_by_problem_looks_into_the_newest_carts_and_says_so(staff, monkeypatch):
    monkeypatch.setattr(admin_querysets, "NEWEST", 2)
    monkeypatch.setattr(admin_querysets.newest, "__defaults__", (2,))
    sold_out = BookFactory(stock_quantity=0)
    idle(cart_of("alice@example.com", sold_out), days=3)
    idle(cart_of("bob@example.com"), days=2)
    idle(cart_of("carol@example.com", sold_out), days=1)

    response = staff.get(LIST, {"problem": "sold-out"})

    assert emails(response) == ["carol@example.com"]
    assert "that changed last, of those that the other choices leave, were looked into." in response.content.decode()


def test_two_choices_that_look_into_the_newest_carts_say_so_once(staff, emma, monkeypatch):
    monkeypatch.setattr(admin_querysets, "MAX_LINES", 2)
    monkeypatch.setattr(admin_querysets, "NEWEST", 2)
    monkeypatch.setattr(admin_querysets.newest, "__defaults__", (2,))
    Book.objects.filter(pk=emma.pk).update(stock_quantity=0)
    for name in ("alice", "bob", "carol"):
        cart_of(f"{name}@example.com", emma)

    page = staff.get(LIST, {"problem": "sold-out", "q": "emma"}).content.decode()

    assert page.count("were looked into") == 1


def test_an_activity_that_is_none_of_the_four_is_a_bug():
    with pytest.raises(ValueError, match="no such activity: 'yesterday'"):
        admin_querysets.activity("yesterday")


@pytest.mark.parametrize(
    "text", ["alice@", "ALICE@example.com", "  alice@  ", "emma", "ÉMMA austen", "9780141439587", "0-14-143958-0"]
)
def test_search_finds_a_cart_by_email_title_author_and_isbn(staff, alice, bob, emma, dracula, text):
    Book.objects.filter(pk=emma.pk).update(isbn="9780141439587")
    cart = CartFactory(user=alice)
    CartItemFactory(cart=cart, book=emma)
    CartItemFactory(cart=cart, book=dracula)
    CartItemFactory(cart=CartFactory(user=bob), book=dracula)

    assert emails(staff.get(LIST, {"q": text})) == ["alice@example.com"]


@pytest.mark.parametrize("text", ["nowhere.org", "mansfield", "9780141439518", "' OR 1=1 --", "%"])
def test_search_for_what_is_not_there_finds_nothing(staff, text, emma):
    cart_of("alice@example.com", emma)

    assert emails(staff.get(LIST, {"q": text})) == []


def test_search_for_a_book_in_many_carts_reads_the_newest_carts(staff, emma, monkeypatch):
    monkeypatch.setattr(admin_querysets, "MAX_LINES", 2)
    monkeypatch.setattr(admin_querysets, "NEWEST", 2)
    monkeypatch.setattr(admin_querysets.newest, "__defaults__", (2,))
    for days, name in enumerate(("alice", "bob", "carol")):
        idle(cart_of(f"{name}@example.com", emma), days=days)

    response = staff.get(LIST, {"q": "emma"})

    assert emails(response) == ["alice@example.com", "bob@example.com"]
    assert "were looked into" in response.content.decode()


@pytest.mark.parametrize("named", ["0", "-1", "x", "9" * 30])
def test_list_of_carts_with_a_book_that_cannot_be_is_empty(staff, emma, named):
    cart_of("alice@example.com", emma)

    assert emails(staff.get(LIST, {"book": named})) == []


def test_list_of_carts_with_one_book(staff, emma, dracula):
    cart_of("alice@example.com", emma)
    cart_of("bob@example.com", dracula)

    assert emails(staff.get(LIST, {"book": emma.pk})) == ["alice@example.com"]


def test_list_offers_no_action(staff, emma):
    cart = cart_of("alice@example.com", emma)

    staff.post(LIST, {"action": "delete_selected", "_selected_action": [cart.pk], "post": "yes"})

    assert Cart.objects.filter(pk=cart.pk).exists()


# --- The page


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


def history_of(cart):
    """[(email of the actor, {title: [copies before, copies after]})], the oldest first."""
    return [(change.event.actor, change.fields) for change in AuditChange.objects.of(cart).reverse()]


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
    cart = cart_of("alice@example.com", emma, dracula)

    response = staff.post(
        page_of(cart), {"verb": "remove", "line": cart.lines[0].pk, "version": cart.version}, follow=True
    )

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


@pytest.mark.parametrize("verb", ["remove", "clear"])
def test_taking_lines_out_asks_first(staff, emma, verb):
    cart = cart_of("alice@example.com", emma)

    response = staff.post(page_of(cart), {"verb": verb, "line": cart.lines[0].pk})

    assert response.status_code == 200
    assert response.context["question"]["version"] == cart.version
    assert CartItem.objects.count() == 1
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


def test_questions_to_the_database_agree_with_the_issues_of_a_line(alice):
    cart = CartFactory(user=alice)
    for active in (True, False):
        for stock in (0, 1, 2, 3):
            for then in ("9.99", "9.00", None):
                book = BookFactory(is_active=active, stock_quantity=stock, price="9.99")
                CartItemFactory(cart=cart, book=book, quantity=2, price_at_add=then)

    for code, question in admin_querysets.PROBLEMS.items():
        by_database = set(CartItem.objects.filter(question).values_list("pk", flat=True))
        by_rule = {line.pk for line in cart.lines if code in {issue["code"] for issue in line.issues}}

        assert by_database == by_rule
        assert by_rule


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("lice@exam", ["alice@example.com"]),
        ("@example.com emma", ["alice@example.com", "bob@example.com"]),
        ("alice@ emma", ["alice@example.com"]),
        ("emma bob@example.com", ["bob@example.com"]),
        ("alice@ dracula", []),
        ("carol@ 9780141439587", []),
    ],
)
def test_search_takes_an_email_and_a_book_together(staff, emma, dracula, text, expected):
    cart_of("alice@example.com", emma)
    cart_of("bob@example.com", emma, dracula)
    cart_of("carol@example.com", dracula)

    assert sorted(emails(staff.get(LIST, {"q": text}))) == expected
