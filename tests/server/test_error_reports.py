"""Errors to Sentry: the traceback and the request's id, and nothing that a customer sent."""

import json

import pytest
import sentry_sdk
from sentry_sdk.transport import Transport

from bookstore.server import error_reports

CANARY = "canary-4711"


class InMemory(Transport):
    def __init__(self) -> None:
        super().__init__()
        self.events: list[dict] = []

    def capture_envelope(self, envelope) -> None:
        self.events += [json.loads(item.get_bytes()) for item in envelope.items if item.type == "event"]


@pytest.fixture
def sentry(settings):
    settings.SENTRY_DSN = "https://key@sentry.example/1"
    transport = InMemory()
    error_reports.start(transport=transport)
    yield transport
    sentry_sdk.get_client().close()
    sentry_sdk.get_global_scope().set_client(None)


@pytest.fixture
def bug(monkeypatch):
    def broken(*args, **kwargs):
        secret = CANARY
        raise RuntimeError(f"a bug, after {len(secret)} letters")

    monkeypatch.setattr("bookstore.accounts.views.LoginView.post", broken)


@pytest.mark.django_db
def test_a_bug_is_reported_with_its_request_id_and_without_what_was_sent(sentry, bug, client):
    client.raise_request_exception = False
    body = {"email": f"{CANARY}@example.com", "password": CANARY}

    answer = client.post(
        f"/auth/login?q={CANARY}",
        body,
        content_type="application/json",
        headers={"x-request-id": "req-1", "cookie": CANARY},
    )

    [event] = sentry.events
    assert answer.status_code == 500
    assert event["exception"]["values"][-1]["type"] == "RuntimeError"
    assert event["tags"] == {"request_id": "req-1"}
    assert CANARY not in json.dumps(event)


@pytest.mark.django_db
def test_a_refusal_is_not_reported(sentry, client):
    client.post("/auth/login", {"email": "a@example.com", "password": "x"}, content_type="application/json")

    assert sentry.events == []
