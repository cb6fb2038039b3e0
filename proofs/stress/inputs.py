"""The dearest bodies, headers and queries that are let in, sent to every route: what does the worst of them cost?

Generated from the URL map, so that a new route is asked without being named here. The requests go through the whole
application in this process, and their cost is the processor's time of this thread, without what the database takes.
"""

import json
from collections.abc import Iterator, Mapping
from time import thread_time
from types import MappingProxyType
from typing import Any, NamedTuple
from urllib.parse import quote

from proofs.stress.staff_pages import PARAMETERS, paths
from proofs.stress.stage import Stage

MOST = 100  # milliseconds
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
SHOWN = 5
LENGTH = 900_000  # characters
TEXTS = {
    "letters": "a",
    "blanks": " ",
    "signs of an email": "a@",
    "parts of a URL": "http://a.",
    "digits": "9",
    "marks": "e\u0301",
    "commas": "a,",
    "semicolons": "a;q=1,",
    "quotation marks": '"',
    "open quotation": '",;',
    "equals signs": "a=b;",
    "brackets": "[({",
    "escapes": "\\",
}
JSON = "application/json"


class Sent(NamedTuple):
    client: Any
    method: str
    path: str
    name: str
    body: bytes = b""
    kind: str = JSON
    headers: Mapping[str, str] = MappingProxyType({})
    beside: str = ""  # a path whose cost the page has anyway, such as a list of all its rows


def inputs(stage: Stage) -> None:
    from unittest import mock

    from django.test import override_settings

    from bookstore import environment
    from bookstore.api.request import Utf8Request

    unlimited = environment.rate("off")
    with (
        override_settings(
            AUTH_THROTTLE_RATE=unlimited, REGISTER_THROTTLE_RATE=unlimited, ALLOWED_HOSTS=["127.0.0.1", "testserver"]
        ),
        mock.patch("django.test.client.WSGIRequest", Utf8Request),  # as the server has it
    ):
        sender = Sender(stage)
        for name, requests in (
            ("body of 1 MB", sender.bodies()),
            ("header", sender.headers()),
            ("query", sender.queries()),
        ):
            report(stage, name, requests)


def report(stage: Stage, name: str, requests: Iterator[Sent]) -> None:
    told: list[tuple[float, str]] = []
    errors = 0
    for sent in requests:
        cost, status = cheapest(sent)
        if cost > MOST and sent.beside:
            cost -= cheapest(sent._replace(path=sent.beside))[0]
        errors += status >= 500
        told.append((cost, f"{sent.method} {sent.path[:60]}, {sent.name}: {cost:.0f} ms, {status}"))
        if status >= 500:
            print(f"       {told[-1][1]}")
    told.sort(reverse=True)
    for _, line in told[:SHOWN]:
        print(f"       {line}")
    worst, line = told[0]
    figures = f"{len(told)} requests, {errors} × 5xx, the worst {worst:.0f} ms of the processor ({line})"
    stage.report(f"the dearest {name}", figures, worst <= MOST and not errors)


def cheapest(sent: Sent) -> tuple[float, int]:
    """The milliseconds that a request costs, and its status. The least of three: others use the machine, too."""
    costs = []
    for _ in range(3):
        began = thread_time()
        answer = sent.client.generic(sent.method, sent.path, sent.body, content_type=sent.kind, **sent.headers)
        costs.append((thread_time() - began) * 1000)
        if costs[-1] < MOST:
            break
    return min(costs), answer.status_code


def longest(text: str, length: int) -> str:
    return text * (length // len(text))


class Sender:
    """Who may do everything, and what the paths name."""

    def __init__(self, stage: Stage) -> None:
        from django.test import Client
        from rest_framework.test import APIClient

        from bookstore.accounts.models import User
        from tests.support.calls import furnished
        from tests.support.routes import routes

        self.stage = stage
        self.owner = User.objects.create_superuser("owner@staff.example.com")
        self.shop = furnished(self.owner)
        self.api = APIClient(raise_request_exception=False, SERVER_NAME="127.0.0.1")
        self.site = Client(raise_request_exception=False, SERVER_NAME="127.0.0.1")
        self.routes = [route for route, _ in routes() if not route.startswith("admin/")]
        self.sign_in()

    def sign_in(self) -> None:
        """Once more: a call may have ended the sessions, or deleted what a path names."""
        from bookstore.accounts import tokens
        from bookstore.accounts.models import LoginSession, User

        owner = User.objects.get(pk=self.owner.pk)
        token = tokens.issue(LoginSession.objects.begin(owner))["access_token"]
        self.api.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
        self.site.force_login(owner)

    def bodies(self) -> Iterator[Sent]:
        from tests.support.calls import operations
        from tests.support.worst_bodies import FORMS, ONE_VALUE, TOO_MANY_VALUES

        entries = [{"book_id": book.pk, "quantity": 2} for book in self.stage.books(100)]
        long_entries = [{"book_id": "x" * 9_000, "quantity": "9" * 900}] * 100
        json_bodies = {
            **TOO_MANY_VALUES,
            **ONE_VALUE,
            "a hundred books": json.dumps({"items": entries}).encode(),
            "a hundred bad entries": json.dumps({"items": long_entries}).encode(),
        }
        for route in self.routes:
            for method in METHODS:
                self.sign_in()
                for name, body in json_bodies.items():
                    yield Sent(self.api, method, self.shop.path(route), name, body)
                for name, (kind, body) in FORMS.items():
                    yield Sent(self.api, method, self.shop.path(route), name, body, kind)
        for operation in operations():
            self.sign_in()
            for field in operation.body or {}:
                for name, text in TEXTS.items():
                    sent = {**(operation.body or {}), field: longest(text, LENGTH // 6)}
                    body = json.dumps(sent).encode()
                    yield Sent(self.api, operation.method, self.shop.fill(operation.path), f"{field} of {name}", body)
        for path in paths(keys=["1"]):
            for name, (kind, body) in FORMS.items():
                self.sign_in()
                yield Sent(self.site, "POST", path, name, body, kind)

    def headers(self) -> Iterator[Sent]:
        from bookstore.server.admission import LONGEST_CONTENT_TYPE, LONGEST_HEADER, PARSED

        for path in [*map(self.shop.path, self.routes), "/admin/", "/admin/login/"]:
            self.sign_in()
            client = self.site if path.startswith("/admin") else self.api
            for name, text in TEXTS.items():
                if not text.isascii():
                    continue
                for header in PARSED:
                    value = {header: longest(text, LONGEST_HEADER)}
                    yield Sent(client, "GET", path, f"{header} of {name}", headers=value)
                yield Sent(client, "POST", path, f"type of {name}", b"{}", longest(text, LONGEST_CONTENT_TYPE))

    def queries(self) -> Iterator[Sent]:
        from bookstore.api.schema import ShopSchema
        from bookstore.server.admission import LONGEST_HEADER

        described = {
            parameter["name"]
            for operations in ShopSchema().get_schema(request=None, public=True)["paths"].values()
            for operation in operations.values()
            for parameter in operation.get("parameters", ())
            if parameter["in"] == "query"
        }
        room = LONGEST_HEADER - 200
        self.sign_in()
        everything = ("a ", "9", "a,", "é ", "[", '"')
        for client, addresses, names, texts in (
            (self.api, [self.shop.path(route) for route in self.routes], described, everything),
            (self.site, paths(keys=["1"]), PARAMETERS, ("a ",)),  # so many pages, that one text takes minutes
        ):
            for path in addresses:
                yield Sent(client, "GET", f"{path}?{longest('a&', room)}", "pairs", beside=path)
                for name in names:
                    for text in texts:
                        encoded, short = quote(text), f"{path}?{name}=a"
                        hostile = f"{path}?{name}={longest(encoded, room)}"
                        yield Sent(client, "GET", hostile, f"{name} of {text!r}", beside=short)
