"""manage.py prune_carts"""

import re
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.utils.timezone import now

from bookstore.accounts.tests.factories import UserFactory
from bookstore.audit.models import AuditChange, AuditEvent
from cart.cleaning import History
from cart.models import Cart, CartItem
from cart.tests.factories import CartFactory, CartItemFactory

pytestmark = pytest.mark.django_db


def cart_of_age(days, **options):
    cart = CartFactory(**options)
    CartItemFactory(cart=cart)
    Cart.objects.filter(pk=cart.pk).update(updated_at=now() - timedelta(days=days))
    return cart


def test_prune_deletes_old_carts_with_their_lines_and_no_others(capsys):
    kept = cart_of_age(89)
    for days in (91, 200, 400):
        cart_of_age(days)

    call_command("prune_carts", "--older-than=90d", "--batch=2")

    assert list(Cart.objects.all()) == [kept]
    assert CartItem.objects.count() == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == ["Carts deleted so far: 2 …", "Carts deleted so far: 3 …"]
    assert re.fullmatch(r"Carts not changed since [0-9: -]+ UTC: 3 deleted\.", lines[2])


def test_prune_dry_run_counts_and_deletes_nothing(capsys):
    cart_of_age(91)

    call_command("prune_carts", "--older-than=90d", "--dry-run")

    assert Cart.objects.count() == 1
    assert capsys.readouterr().out.endswith(" UTC: 1 would be deleted.\n")


@pytest.mark.parametrize("text", ["", "90", "0d", "-1d", "9w", "d", "९d", "1.5d"])
def test_prune_refuses_what_is_no_age(text):
    with pytest.raises(CommandError, match="is not an age"):
        call_command("prune_carts", f"--older-than={text}")


@pytest.mark.parametrize("batch", [0, -1])
def test_prune_refuses_a_batch_of_nothing(batch):
    with pytest.raises(CommandError, match=r"^--batch is a number of carts, from 1\.$"):
        call_command("prune_carts", "--older-than=90d", f"--batch={batch}")


def test_prune_interrupted_says_how_far_it_came(capsys, monkeypatch):
    cart_of_age(91)

    def interrupted(*args, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(type(Cart.objects.all()), "prune_batch", interrupted)

    call_command("prune_carts", "--older-than=90d")

    assert "Interrupted, with 0 deleted" in capsys.readouterr().out


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_prune_passes_over_a_cart_that_is_being_changed():
    busy = cart_of_age(91, user=UserFactory(email="alice@example.com"))
    cart_of_age(91)
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("BEGIN")
            cursor.execute("SELECT 1 FROM carts WHERE id = %s FOR UPDATE", [busy.pk])
            with transaction.atomic():
                Cart.objects.prune_batch(now() - timedelta(days=90), size=10)
            cursor.execute("ROLLBACK")
    finally:
        other.close()

    assert list(Cart.objects.all()) == [busy]


def test_prune_is_one_event_of_the_history_without_emails(capsys):
    carts = [cart_of_age(days, user=UserFactory()) for days in (91, 200, 400)]

    call_command("prune_carts", "--older-than=90d", "--batch=2")

    event = AuditEvent.objects.get()
    assert (event.actor, event.channel, event.number_of_changes) == ("prune_carts", "command", 3)
    assert event.summary.startswith("Deleted carts not changed since ")
    assert sorted(AuditChange.objects.values_list("kind", "object_id", "name", "action")) == [
        ("cart.cart", cart.pk, f"Cart of user {cart.user_id}", "delete") for cart in carts
    ]


def test_batch_that_is_run_again_has_an_event_again():
    carts, history = [cart_of_age(91)], History("prune_carts", now())
    with transaction.atomic():
        history.write(carts)
        transaction.set_rollback(True)  # as after a deadlock

    history.write(carts)
    history.write(carts)

    assert list(AuditEvent.objects.values_list("number_of_changes", flat=True)) == [2]
