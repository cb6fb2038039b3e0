"""The verbs as called in the shell, and the constraints of the database."""

from decimal import Decimal

import pytest
from django.db import IntegrityError, OperationalError, connection, transaction
from psycopg.errors import DeadlockDetected

from bookstore.accounts.exceptions import UserInactive
from bookstore.accounts.models import User
from bookstore.api.errors import ValidationError
from cart.exceptions import BookOutOfStock, CartChanged, CartItemDuplicate, CartItemNotFound
from cart.models import Cart, CartItem
from cart.tests.factories import CartFactory, CartItemFactory
from catalog.exceptions import BookNotFound

pytestmark = pytest.mark.django_db


def test_for_user_makes_a_cart_once(alice):
    first = Cart.objects.for_user(alice)

    second = Cart.objects.for_user(alice)

    assert (first, Cart.objects.count()) == (second, 1)


def test_for_user_finds_the_cart_that_won_the_race(alice, monkeypatch):
    winner = CartFactory(user=alice)
    reads = iter([None])
    monkeypatch.setattr(type(Cart.objects.all()), "first", lambda self: next(reads))

    assert Cart.objects.for_user(alice) == winner


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_for_user_of_a_deleted_user_raises_user_inactive(alice):
    ghost = User.objects.get(pk=alice.pk)
    alice.delete()

    with pytest.raises(UserInactive):
        Cart.objects.for_user(ghost)


def gone_before_it_is_read(monkeypatch, *, with_user):
    """Somebody else's cart is there when it is inserted, and gone when it is looked for."""
    carts = type(Cart.objects.all())
    get = carts.get

    def delete_and_get(self, *args, **options):
        monkeypatch.setattr(carts, "get", get)
        Cart.objects.all().delete()
        if with_user:
            User.objects.all().delete()
        return get(self, *args, **options)

    monkeypatch.setattr(carts, "get", delete_and_get)


def test_for_user_makes_a_cart_when_the_winners_is_gone_again(alice, monkeypatch):
    gone_before_it_is_read(monkeypatch, with_user=False)

    assert Cart.objects.for_user(alice) == Cart.objects.get(user=alice)


def test_for_user_raises_user_inactive_when_both_were_deleted(alice, monkeypatch):
    ghost = User.objects.get(pk=alice.pk)
    gone_before_it_is_read(monkeypatch, with_user=True)

    with pytest.raises(UserInactive):
        Cart.objects.for_user(ghost)


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("verb", "error"),
    [
        (lambda line: line.cart.merge([(line.book_id, 3)]), UserInactive),
        (lambda line: line.change_quantity(3), CartItemNotFound),
        (lambda line: line.remove(), CartItemNotFound),
        (lambda line: line.cart.merge([(line.book_id, 3)], if_match=["seen"]), UserInactive),
        (lambda line: line.change_quantity(3, if_match=["seen"]), CartChanged),
        (lambda line: line.remove(if_match=["seen"]), CartChanged),
        (lambda line: line.cart.clear(if_match=["seen"]), CartChanged),
    ],
    ids=["merge", "change", "remove", "merge_if_match", "change_if_match", "remove_if_match", "clear_if_match"],
)
def test_a_verb_on_a_deleted_users_cart_raises_what_is_gone(alice, emma, verb, error):
    line = CartItemFactory(cart=CartFactory(user=alice), book=emma)
    as_read_before = CartItem.objects.with_book().get(pk=line.pk)  # knows its user's id only
    alice.delete()

    with pytest.raises(error):
        verb(as_read_before)

    assert not Cart.objects.exists()


def test_add_answers_the_line_and_totals_follow(alice, emma, dracula):
    cart = Cart.objects.for_user(alice)

    line = cart.add(emma, 2)
    cart.add(dracula.pk)

    assert (line.quantity, line.line_total) == (2, Decimal("19.00"))
    assert (cart.total_items, cart.total_price) == (3, Decimal("31.25"))


@pytest.mark.parametrize("quantity", [0, 1000, 1.5, True])
def test_merge_skips_an_entry_with_a_bad_quantity(alice, emma, dracula, quantity):
    cart = CartItemFactory(cart=CartFactory(user=alice), book=emma, quantity=2).cart

    results = cart.merge([(emma.pk, 3), (dracula.pk, quantity)])

    assert [(each["status"], each.get("code")) for each in results] == [
        ("updated", None),
        ("skipped", "VALIDATION_ERROR"),
    ]
    assert list(CartItem.objects.values_list("book__title", "quantity")) == [("Emma", 3)]


def test_a_cart_without_a_sold_out_line_is_ready_for_checkout(alice, emma):
    cart = Cart.objects.for_user(alice)
    cart.add(emma)
    before = cart.checkout_ready
    emma.set_stock(0)

    assert (before, Cart.objects.of(alice).checkout_ready) == (True, False)


def test_add_reads_the_stock_now_not_from_the_object(alice, emma):
    stale = type(emma).objects.get(pk=emma.pk)
    emma.set_stock(0)

    with pytest.raises(BookOutOfStock):
        Cart.objects.for_user(alice).add(stale)


def test_add_of_a_deleted_book_raises_book_not_found(alice, emma):
    cart = Cart.objects.for_user(alice)
    book_id = emma.pk
    emma.delete()

    with pytest.raises(BookNotFound):
        cart.add(book_id)


def test_add_twice_raises_duplicate_with_the_item_id(alice, emma):
    cart = Cart.objects.for_user(alice)
    line = cart.add(emma)

    with pytest.raises(CartItemDuplicate) as refused:
        cart.add(emma)

    assert refused.value.extra == {"item_id": line.pk}


def test_add_to_a_cart_that_was_pruned_meanwhile_makes_it_again(alice, emma):
    cart = Cart.objects.for_user(alice)
    Cart.objects.all().delete()

    line = cart.add(emma)

    assert Cart.objects.get().lines == [line]


@pytest.mark.parametrize("quantity", [0, -1, 1000, True, 1.5, "2", None])
def test_a_quantity_outside_the_bounds_is_refused_in_words(alice, emma, dracula, quantity):
    line = CartItemFactory(cart=CartFactory(user=alice), book=emma)

    with pytest.raises(ValidationError):
        line.cart.add(dracula, quantity)
    with pytest.raises(ValidationError):
        line.change_quantity(quantity)

    assert list(CartItem.objects.values_list("book__title", "quantity")) == [("Emma", 1)]


def test_a_line_that_is_gone_cannot_be_changed_or_removed(alice, emma):
    line = CartItemFactory(cart=CartFactory(user=alice), book=emma)
    CartItem.objects.all().delete()

    with pytest.raises(CartItemNotFound):
        line.change_quantity(2)
    with pytest.raises(CartItemNotFound):
        line.remove()

    assert not CartItem.objects.exists()


def test_a_line_whose_cart_is_gone_cannot_be_changed(alice, emma):
    line = CartItemFactory(cart=CartFactory(user=alice), book=emma)
    Cart.objects.all().delete()

    with pytest.raises(CartItemNotFound):
        line.change_quantity(2)


def test_a_refused_add_leaves_the_last_change_alone(alice, emma):
    cart = CartFactory(user=alice)
    emma.set_stock(0)
    before = Cart.objects.get().updated_at

    with pytest.raises(BookOutOfStock):
        cart.add(emma)

    assert Cart.objects.get().updated_at == before


def test_database_refuses_second_carts_and_lines_and_quantity_0(alice, emma):
    line = CartItemFactory(cart=CartFactory(user=alice), book=emma)
    attempts = [
        lambda: Cart.objects.create(user=alice),
        lambda: CartItem.objects.create(cart=line.cart, book=emma),
        lambda: CartItem.objects.update(quantity=0),
        lambda: CartItem.objects.update(quantity=1000),
    ]

    for attempt in attempts:
        with pytest.raises(IntegrityError), transaction.atomic():
            attempt()


def test_the_database_sets_quantity_and_times(alice, emma):
    cart = CartFactory(user=alice)
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO cart_items (cart_id, book_id) VALUES (%s, %s)", [cart.pk, emma.pk])

    line = CartItem.objects.get()

    assert line.quantity == 1
    assert line.added_at >= cart.created_at


@pytest.mark.postgres
def test_the_database_cascades_from_user_to_cart_to_lines(alice, emma):
    CartItemFactory(cart=CartFactory(user=alice), book=emma)

    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM users WHERE id = %s", [alice.pk])

    assert (Cart.objects.count(), CartItem.objects.count()) == (0, 0)


@pytest.mark.postgres
def test_the_database_cascades_from_book_to_lines(alice, emma):
    CartItemFactory(cart=CartFactory(user=alice), book=emma)

    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM books WHERE id = %s", [emma.pk])

    assert (Cart.objects.count(), CartItem.objects.count()) == (1, 0)


def test_deleting_a_book_takes_its_lines_out_of_every_cart(alice, bob, emma, dracula):
    for user in (alice, bob):
        cart = CartFactory(user=user)
        CartItemFactory(cart=cart, book=emma)
        CartItemFactory(cart=cart, book=dracula)

    emma.delete()

    assert list(CartItem.objects.values_list("book__title", flat=True)) == ["Dracula", "Dracula"]


def test_deleting_a_user_takes_the_cart_and_its_lines(alice, emma):
    CartItemFactory(cart=CartFactory(user=alice), book=emma)

    alice.delete()

    assert (Cart.objects.count(), CartItem.objects.count()) == (0, 0)


def test_every_foreign_key_has_an_index():
    with connection.cursor() as cursor:
        for table, column in (("carts", "user_id"), ("cart_items", "cart_id"), ("cart_items", "book_id")):
            constraints = connection.introspection.get_constraints(cursor, table).values()
            assert any(
                (facts["index"] or facts["unique"]) and facts["columns"][0] == column for facts in constraints
            ), (table, column)


def test_a_cart_that_was_read_before_a_change_reads_itself_again(alice, emma, dracula):
    cart = Cart.objects.with_lines().of(alice)
    assert cart.version == Cart(user=alice).version

    cart.add(emma)
    after_first = (cart.total_items, cart.updated_at, cart.version)
    cart.add(dracula, 2)

    fresh = Cart.objects.with_lines().of(alice)
    assert (cart.total_items, cart.updated_at, cart.version) == (3, fresh.updated_at, fresh.version)
    assert after_first[0] == 1
    assert after_first[2] != cart.version


def test_a_refused_first_add_leaves_the_cart_as_it_was(alice):
    cart = Cart.objects.of(alice)

    with pytest.raises(BookNotFound):
        cart.add(0)

    assert not cart.is_stored
    assert cart.lines == []


class Blind:
    """Makes `cart.add` see no line, as if somebody who takes no lock had written since; `meanwhile` writes."""

    def __init__(self, monkeypatch, meanwhile=lambda: None):
        lines = type(CartItem.objects.all())
        values_list = lines.values_list

        def blind(queryset, *fields, **options):
            if fields != ("book_id", "pk"):
                return values_list(queryset, *fields, **options)
            meanwhile()
            return []

        monkeypatch.setattr(lines, "values_list", blind)


def test_add_recognises_a_duplicate_by_the_constraint(alice, emma, monkeypatch):
    line = CartItemFactory(cart=CartFactory(user=alice), book=emma)
    Blind(monkeypatch)

    with pytest.raises(CartItemDuplicate) as refused:
        Cart.objects.of(alice).add(emma)

    assert refused.value.extra == {"item_id": line.pk}


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_add_of_a_book_deleted_at_that_moment_raises_not_found(alice, emma, monkeypatch):
    other = connection.copy()

    def delete():
        with other.cursor() as cursor:
            cursor.execute("DELETE FROM books WHERE id = %s", [emma.pk])

    Blind(monkeypatch, delete)
    try:
        with pytest.raises(BookNotFound):
            Cart.objects.of(alice).add(emma)
    finally:
        other.close()

    assert not Cart.objects.exists()


@pytest.mark.parametrize(
    "verb",
    [lambda cart, book: cart.add(book), lambda cart, book: cart.merge([(book.pk, 1)])],
    ids=["add", "merge"],
)
def test_another_violation_than_the_known_ones_is_not_taken_for_one(alice, emma, monkeypatch, verb):
    def violate(*args, **options):
        raise IntegrityError("CHECK constraint failed: ck_cart_items_quantity")

    monkeypatch.setattr(type(CartItem.objects.all()), "create", violate)
    monkeypatch.setattr(type(CartItem.objects.all()), "bulk_create", violate)
    cart = CartFactory(user=alice)

    with pytest.raises(IntegrityError):
        verb(cart, emma)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "verb",
    [
        lambda line, book: line.cart.add(book),
        lambda line, book: line.cart.merge([(book.pk, 1)]),
        lambda line, book: line.cart.clear(),
        lambda line, book: line.cart.restore([(book.pk, 1, None)]),
        lambda line, book: line.change_quantity(3),
        lambda line, book: line.remove(),
    ],
    ids=["add", "merge", "clear", "restore", "change_quantity", "remove"],
)
def test_every_verb_begins_again_after_a_deadlock(alice, emma, dracula, monkeypatch, verb):
    line = CartItemFactory(cart=CartFactory(user=alice), book=emma, quantity=2)
    before = Cart.objects.with_lines().of(alice).version
    met = iter([True, False])
    stamp = Cart._stamp

    def stamp_or_meet_another(cart):
        if next(met):
            deadlock = OperationalError("deadlock detected")
            raise deadlock from DeadlockDetected("deadlock detected")
        stamp(cart)

    monkeypatch.setattr(Cart, "_stamp", stamp_or_meet_another)

    verb(line, dracula)

    assert next(met, None) is None
    assert Cart.objects.with_lines().of(alice).version != before


def test_lines_that_were_read_cost_no_query_and_others_one(alice, emma, django_assert_num_queries):
    line = CartItemFactory(cart=CartFactory(user=alice), book=emma)
    read, unread = Cart.objects.with_lines().of(alice), Cart.objects.get()

    with django_assert_num_queries(0):
        found = [(each, each.book) for each in read.lines]
    with django_assert_num_queries(1):
        asked = [(each, each.book) for each in unread.lines]

    assert found == asked == [(line, emma)]
    assert Cart(user=alice).lines == []


def test_a_line_knows_what_the_customer_asks(alice, emma):
    CartItemFactory(cart=CartFactory(user=alice), book=emma, quantity=7)
    line = CartItem.objects.with_book().get()

    assert (line.available_quantity, line.line_total, line.known_price) == (5, Decimal("66.50"), Decimal("9.50"))
    assert line.issues == [{"code": "INSUFFICIENT_STOCK", "available": 5}]
