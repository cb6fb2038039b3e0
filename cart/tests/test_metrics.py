"""What the metrics count of carts: changes by customers, when they succeed."""

from importlib import import_module

import pytest
from django.urls import reverse
from prometheus_client import generate_latest
from rest_framework.test import APIClient

from bookstore.accounts.tests.factories import UserFactory
from bookstore.server.metrics import registry
from cart import metrics
from catalog.tests.factories import BookFactory


@pytest.fixture
def changes():
    """How often each change was counted since this test began."""

    def counted():
        return {
            sample.labels["change"]: sample.value
            for family in metrics.cart_changes.collect()
            for sample in family.samples
            if sample.name == "bookstore_cart_changes_total"
        }

    before = counted()
    return lambda: {change: number - before[change] for change, number in counted().items()}


@pytest.mark.django_db
def test_changes_of_carts_are_counted_when_they_succeed(settings, client_for, changes):
    settings.MIDDLEWARE = ["bookstore.server.metrics.MetricsMiddleware", *settings.MIDDLEWARE]
    dracula, emma = BookFactory(title="Dracula"), BookFactory(title="Emma")
    alice: APIClient = client_for(UserFactory(email="alice@example.com"))

    item = alice.post("/cart/items", {"book_id": dracula.pk}).json()["id"]
    assert alice.post("/cart/items", {"book_id": dracula.pk}).status_code == 409
    assert alice.put(f"/cart/items/{item}", {"quantity": 2}).status_code == 200
    assert alice.patch(f"/cart/items/{item}/", {"quantity": 3}).status_code == 200
    assert alice.put(f"/cart/items/{item}", {"quantity": 0}).status_code == 422
    assert alice.delete(f"/cart/items/{item}").status_code == 204
    assert alice.delete(f"/cart/items/{item}").status_code == 404
    assert alice.post("/cart/merge", {"items": [{"book_id": emma.pk, "quantity": 1}]}).status_code == 200
    assert alice.delete("/cart/items").status_code == 204
    assert alice.get("/cart").status_code == 200

    assert changes() == {"added": 1, "changed": 2, "removed": 1, "merged": 1, "cleared": 1}


def test_every_route_that_changes_a_cart_is_one_of_the_url_map():
    reverse("cart")  # the project's URL map is read, and its converters with it
    urlpatterns = import_module("cart.urls").urlpatterns

    assert {route for _, route in metrics.CHANGES} == {str(pattern.pattern) for pattern in urlpatterns} - {
        "cart",
        "cart/preview",
    }


def test_a_change_that_never_happened_is_there_as_zero():
    assert b'bookstore_cart_changes_total{change="merged"}' in generate_latest(registry)
