"""What the metrics count of accounts: sign-ins by their result, of customers and of staff."""

import pytest

from bookstore.accounts import metrics
from bookstore.accounts.tests.factories import PASSWORD


@pytest.mark.django_db
def test_sign_ins_are_counted_by_their_result(settings, api, client, alice):
    settings.MIDDLEWARE = ["bookstore.server.metrics.MetricsMiddleware", *settings.MIDDLEWARE]
    settings.AUTH_THROTTLE_RATE = (2, 60)
    before = counted()

    wrong = {"email": alice.email, "password": "wrong-password"}
    statuses = [
        api.post("/auth/login", {**wrong, "password": PASSWORD}).status_code,
        api.post("/auth/login", wrong).status_code,
        client.post("/admin/login/", {"username": "olga@example.com", "password": "wrong-password"}).status_code,
        api.post("/auth/login", wrong).status_code,
    ]

    assert statuses == [200, 401, 403, 429]
    assert {result: number - before[result] for result, number in counted().items()} == {
        "succeeded": 1,
        "refused": 2,
        "throttled": 1,
    }


def counted() -> dict[str, float]:
    [family] = metrics.sign_ins.collect()
    return {
        sample.labels["result"]: sample.value for sample in family.samples if sample.name == "bookstore_sign_ins_total"
    }
