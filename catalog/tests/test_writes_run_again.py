"""Writes of the catalogue are retried after a deadlock, with their whole transaction."""

import pytest
from django.db import OperationalError
from psycopg.errors import DeadlockDetected

from bookstore.audit.models import AuditEvent
from catalog import views

PERSUASION = {"title": "Persuasion", "author": "Jane Austen", "price": "8.00"}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("post", "/books", PERSUASION, 201),
        ("put", "/books/{}", {"description": "A matchmaker."}, 200),
        ("patch", "/books/{}/stock", {"quantity": 7}, 200),
        ("delete", "/books/{}", None, 204),
        ("post", "/genres", {"name": "Gothic"}, 201),
    ],
)
def test_write_that_meets_a_deadlock_is_done_once(owner, emma, monkeypatch, method, path, body, status):
    record, met = views.record, []

    def record_after_a_deadlock(*args):
        if not met:
            met.append(True)
            raise OperationalError("deadlock detected") from DeadlockDetected("deadlock detected")
        return record(*args)

    monkeypatch.setattr(views, "record", record_after_a_deadlock)

    response = getattr(owner, method)(path.format(emma.pk), body)

    assert (met, response.status_code) == ([True], status)
    assert AuditEvent.objects.count() == 1
