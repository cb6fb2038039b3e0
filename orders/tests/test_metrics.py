"""What the metrics count of orders: checkouts by their result."""

import pytest

from orders import metrics


@pytest.mark.django_db
def test_checkouts_are_counted_by_their_result(settings, client_for, alice, cart):
    settings.MIDDLEWARE = ["bookstore.server.metrics.MetricsMiddleware", *settings.MIDDLEWARE]
    client = client_for(alice)
    before = counted()

    assert client.post("/orders/checkout", {}).status_code == 201
    assert client.post("/orders/checkout", {}).status_code == 422  # the cart is empty now
    assert client.post("/orders/checkout", {}, headers={"if-match": '"0000"'}).status_code == 422

    assert {result: number - before[result] for result, number in counted().items()} == {
        "placed": 1,
        "refused": 2,
        "unavailable": 0,
    }


def counted() -> dict[str, float]:
    [family] = metrics.checkouts.collect()
    return {
        sample.labels["result"]: sample.value for sample in family.samples if sample.name == "bookstore_checkouts_total"
    }
