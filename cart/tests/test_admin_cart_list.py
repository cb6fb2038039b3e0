"""/admin/cart/cart/: the list of carts, its filters and its search."""

from datetime import timedelta

import pytest
from django.utils.timezone import now

from cart.admin import querysets as admin_querysets
from cart.models import Cart, CartItem
from cart.tests.admin_pages import LIST, cart_of
from cart.tests.factories import CartFactory, CartItemFactory
from catalog.models import Book
from catalog.tests.factories import BookFactory

pytestmark = pytest.mark.django_db


def emails(response):
    assert response.status_code == 200
    return [cart.user.email for cart in response.context["cl"].result_list]


def idle(cart, **time):
    Cart.objects.filter(pk=cart.pk).update(updated_at=now() - timedelta(**time))
    return cart


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
