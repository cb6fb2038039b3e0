"""No secret of a request reaches the log, wherever in the request it is."""

import io
import json
import logging
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from django.apps import apps
from django.conf import settings
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils.module_loading import import_string
from rest_framework.test import APIClient

from bookstore.accounts.models import User
from bookstore.accounts.tests.factories import UserFactory
from bookstore.api.middleware import RequestIdFilter
from bookstore.api.schema import ShopSchema

EMAIL, PASSWORD = "canary@example.com", "canary-password-7"
EVERYWHERE = {"email": EMAIL, "password": PASSWORD}
# Parts of the two, as a log might spell them.
CANARIES = ("canary@", "canary%40", "canary-password")
SCHEMA = ShopSchema().get_schema(request=None, public=True)


@pytest.fixture
def written():
    """Everything that any logger writes, at the most talkative level, as production writes it: each `extra`, too."""
    stream = io.StringIO()
    options = dict(settings.LOGGING["formatters"]["json"])
    formatter = import_string(options.pop("()"))(**options)
    handler = logging.StreamHandler(stream)
    handler.addFilter(RequestIdFilter())
    handler.setFormatter(formatter)
    loggers = [logging.getLogger(name) for name in ("", "bookstore", "django", "django.request", "bookstore.request")]
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.DEBUG)
    # SQL with its values is for DEBUG=1 and a logger of its own that nobody turns on in production.
    logging.getLogger("django.db.backends").setLevel(logging.INFO)
    logging.getLogger().addHandler(handler)
    yield stream
    logging.getLogger().removeHandler(handler)
    for logger, level in zip(loggers, before, strict=True):
        logger.setLevel(level)


class Canaries:
    """The account whose email, password and tokens are looked for, and every token that an answer gave it."""

    def __init__(self) -> None:
        self.tokens: list[str] = []

    def sign_in(self) -> dict[str, str]:
        """Tokens that work. The account is made (again): a customer may delete it, by the password."""
        user = User.objects.filter(email=EMAIL).first() or UserFactory(email=EMAIL, is_staff=True, is_superuser=True)
        user.set_password(PASSWORD)
        user.save()
        answer = APIClient().post("/auth/login", EVERYWHERE)
        assert answer.status_code == 200
        self.note(answer)
        tokens: dict[str, str] = answer.json()
        return tokens

    def note(self, answer: Any) -> None:
        if answer.headers.get("Content-Type") == "application/json" and b"_token" in answer.content:
            body = answer.json()
            self.tokens += [body[name] for name in ("access_token", "refresh_token") if name in body]

    def found_in(self, log: str) -> set[str]:
        """Those that the log has: a token by any part that only its owner knows."""
        parts = [part for token in self.tokens for part in token.split(".")[1:]]
        return {canary for canary in (*CANARIES, *parts) if canary in log}


@pytest.fixture
def canaries(db):
    return Canaries()


def filled(schema: dict[str, Any], canary: Any) -> Any:
    """A body of this schema with the canary as every property, at every depth."""
    if reference := schema.get("$ref"):
        return filled(SCHEMA["components"]["schemas"][reference.rpartition("/")[2]], canary)
    if schema.get("type") == "object" and schema.get("properties"):
        return {name: filled(inner, canary) for name, inner in schema["properties"].items()}
    if schema.get("type") == "array":
        return [filled(schema["items"], canary)]
    return canary


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, of_path in SCHEMA["paths"].items():
        for method, operation in of_path.items():
            yield method.upper(), path, operation


def bodies(operation: dict[str, Any], canary: str) -> Iterator[bytes]:
    for content in operation.get("requestBody", {}).get("content", {}).values():
        whole = filled(content["schema"], canary)
        good = content.get("examples", {})
        yield json.dumps(whole).encode()
        yield json.dumps([whole]).encode()
        yield json.dumps(whole).encode()[:-1]  # cut short: a parser might quote it
        # The canary in one field after the other of a body that is good but for it: later checks see it, too.
        for example in good.values():
            for name in whole:
                yield json.dumps({**example["value"], name: canary}).encode()
    yield canary.encode()


QUERY = sorted(
    {
        parameter["name"]
        for _, _, operation in operations()
        for parameter in operation.get("parameters", [])
        if parameter["in"] == "query"
    }
    | {"email", "password", "access_token", "refresh_token", "token", "next"}
)


def headers_with(canary: str) -> dict[str, str]:
    """Each header that the schema knows or a server might look at. What a caller names its request is logged on
    purpose, if it is safe there: an email or a token is not."""
    named = {
        parameter["name"].lower()
        for _, _, operation in operations()
        for parameter in operation.get("parameters", [])
        if parameter["in"] == "header"
    }
    everywhere = named | {"user-agent", "referer", "origin", "x-forwarded-for", "forwarded", "accept-language", "via"}
    headers = dict.fromkeys(sorted(everywhere), canary) | {"cookie": f"sessionid={canary}; csrftoken={canary}"}
    return headers if canary == PASSWORD else headers | {"x-request-id": canary}


def test_the_schema_names_every_field_that_the_canaries_go_into():
    """Else the generated requests would be fewer than the fields that there are."""
    sent = {name for _, _, operation in operations() for body in bodies(operation, EMAIL) for name in named_in(body)}

    assert sent >= {"email", "password", "refresh_token", "is_active", "title", "book_id", "quantity", "items", "name"}
    assert {"q", "genre_id", "sort"} <= set(QUERY)


def named_in(body: bytes) -> set[str]:
    try:
        value = json.loads(body)
    except ValueError:
        return set()
    found = set()
    while value:
        value = value[0] if isinstance(value, list) else value
        if not isinstance(value, dict):
            break
        found |= value.keys()
        value = value.get("items")
    return found


@pytest.mark.slow
@pytest.mark.parametrize("secret", ["email", "password", "access_token", "refresh_token"])
@pytest.mark.parametrize("who", ["nobody", "somebody who may do everything"])
def test_no_canary_reaches_the_log_from_any_field_parameter_or_header(written, canaries, who, secret):
    tokens = canaries.sign_in()
    canary = (EVERYWHERE | tokens)[secret]
    query = urlencode(dict.fromkeys(QUERY, canary))
    client = APIClient(raise_request_exception=False)
    statuses = set()

    for method, template, operation in operations():
        bearer = canary if who == "nobody" else canaries.sign_in()["access_token"]
        headers = headers_with(canary) | {"authorization": f"Bearer {bearer}"}
        path = re.sub(r"\{\w+\}", "1", template)
        for body in bodies(operation, canary):
            for target in (path, f"{path}?{query}"):
                answer = client.generic(method, target, body, content_type="application/json", headers=headers)
                canaries.note(answer)
                statuses.add(answer.status_code)

    log = written.getvalue()
    assert {400, 401, 422} <= statuses
    assert "/auth/register" in log
    assert canaries.found_in(log) == set()


def test_no_canary_reaches_the_log_from_what_succeeds(written, canaries, settings):
    """Register, login, refresh, a replay, logout: with secrets that are good."""
    settings.REFRESH_GRACE_SECONDS = 0
    canaries.sign_in()
    canaries.tokens.clear()
    client = APIClient()
    new = {"email": "canary@shop.example", "password": PASSWORD}
    answers = [client.post("/auth/register", new), client.post("/auth/login", EVERYWHERE)]
    refresh = answers[-1].json()["refresh_token"]
    bearer = {"authorization": f"Bearer {answers[-1].json()['access_token']}"}
    answers += [
        client.get("/cart", headers=bearer),
        client.post("/auth/refresh", {"refresh_token": refresh}),
        client.post("/auth/refresh", {"refresh_token": refresh}),
        client.get("/cart", headers=bearer),
        client.post("/auth/logout", {"refresh_token": answers[0].json()["refresh_token"]}),
    ]
    for answer in answers:
        canaries.note(answer)

    assert [answer.status_code for answer in answers] == [201, 200, 200, 200, 401, 401, 204]
    assert len(canaries.tokens) == 6
    assert canaries.found_in(written.getvalue()) == set()


@pytest.mark.parametrize("secure", [True, False], ids=["https", "http"])
def test_no_canary_reaches_the_log_from_the_form_of_the_admin(written, canaries, secure):
    token = canaries.sign_in()["access_token"]
    guesses = [
        (EMAIL, PASSWORD),
        (EMAIL, "wrong guess"),
        (PASSWORD, EMAIL),
        (EMAIL, token),
        ("x@example.com", PASSWORD),
    ]
    statuses = set()

    for email, password in guesses:
        for strict in (False, True):
            client = Client(enforce_csrf_checks=strict, raise_request_exception=False)
            for headers in (
                {},
                headers_with(EMAIL),
                headers_with(token),
                {"referer": f"https://evil.example/?q={EMAIL}"},
            ):
                form = {"username": email, "password": password, "next": f"/admin/?q={EMAIL}"}
                answer = client.post(f"/admin/login/?next={EMAIL}", form, headers=headers, secure=secure)
                statuses.add(answer.status_code)

    log = written.getvalue()
    assert statuses == {302, 403}
    assert ("https://evil.example does not match any trusted origins" in log) == secure  # what an operator needs
    assert canaries.found_in(log) == set()


def test_a_path_is_in_the_line_of_its_request_and_nowhere_else(written, canaries):
    """The line says which path was asked for: a secret that is put there is a path to it."""
    client = APIClient(raise_request_exception=False)
    for method, template, _ in operations():
        if "{" in template:
            path = re.sub(r"\{\w+\}", quote(EMAIL), template)
            assert client.generic(method, path).status_code == 404

    lines = [json.loads(line) for line in written.getvalue().splitlines()]
    with_it = [line for line in lines if canaries.found_in(json.dumps(line))]
    assert with_it
    for line in with_it:
        if line["logger"] == "django.request":  # says the same, and is off in production
            assert line["message"] == f"Not Found: {line['message'].partition(': ')[2]}"
            continue
        shown = f"{line['method']} {line['path']} 404 "
        assert (line["logger"], line["message"][: len(shown)]) == ("bookstore.request", shown)
        assert canaries.found_in(json.dumps(line | {"path": "", "message": ""})) == set()


@pytest.mark.django_db
def test_no_canary_reaches_the_log_by_the_traceback_of_a_bug(written, monkeypatch):
    UserFactory(email=EMAIL)

    def broken(self: Any, **fields: Any) -> None:
        """As code that does not expect the violation: PostgreSQL's DETAIL would quote the row."""
        with transaction.atomic():
            UserFactory(email=EMAIL)

    monkeypatch.setattr(type(User.objects), "register", broken)

    response = APIClient(raise_request_exception=False).post("/auth/register", EVERYWHERE)

    lines = written.getvalue()
    assert response.status_code == 500
    assert "IntegrityError" in lines
    assert [canary for canary in CANARIES if canary in lines] == []


@pytest.mark.django_db
def test_a_violated_check_does_not_quote_the_row():
    with pytest.raises(IntegrityError) as caught, transaction.atomic():
        apps.get_model("catalog", "Book").objects.create(title="canary-title", author="A", price="-1")

    assert "canary-title" not in str(caught.value)
    assert "canary-title" not in str(caught.value.__cause__)
