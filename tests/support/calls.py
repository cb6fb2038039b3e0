"""The calls of all apps, for the tests of the whole shop. Each app declares its own in `tests/calls.py`:

- `ACCESS`: who may call what, for each route and method (test_access_matrix.py)
- `CONTRACT`: the statuses and codes of each call (test_contract.py)
- `OPERATIONS`: bad input for each call (test_hostile_input.py)
- `furnish(shop)`: creates the objects of its paths (`shop.ids`), and sets valid bodies of its calls
"""

import re
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from django.apps import apps

from bookstore.accounts.models import User
from tests.support.hostile import Operation

# --- who may call ---

METHODS = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE")  # in this order: DELETE comes last
CALLERS = ("nobody", "Alice, whose cart it is", "Bob", "Carol, staff", "Dave, staff without permission")

EVERYBODY = (200, 200, 200, 200, 200)
NO_SUCH_METHOD = (405, 405, 405, 405, 405)
Row = dict[str, tuple[int, ...]]  # a method, and the status for each of the CALLERS


def rest(*methods: str, answer: tuple[int, ...]) -> Row:
    return dict.fromkeys(methods, answer)


def staff(status: int) -> tuple[int, ...]:
    """Only Carol has the permission."""
    return (401, 403, 403, status, 403)


def signed_in(status: int) -> tuple[int, ...]:
    return (401, status, status, status, status)


def only(**statuses: tuple[int, ...]) -> Row:
    """These methods, and no other."""
    return rest(*METHODS, answer=NO_SUCH_METHOD) | statuses


# --- what the contract says: statuses, with the codes of their errors ---

Answers = dict[int, set[str] | None]

EVERY: Answers = {406: {"NOT_ACCEPTABLE"}, 503: {"SERVICE_UNAVAILABLE"}}
BODY: Answers = {
    400: {"PARSE_ERROR"},
    413: {"CONTENT_TOO_LARGE"},
    415: {"UNSUPPORTED_MEDIA_TYPE"},
    422: {"VALIDATION_ERROR"},
}
QUERY: Answers = {422: {"VALIDATION_ERROR"}}
TOKEN_CODES = {"AUTH_TOKEN_INVALID", "AUTH_TOKEN_EXPIRED", "AUTH_SESSION_OVER", "AUTH_USER_INACTIVE"}
TOKEN: Answers = {401: {"NOT_AUTHENTICATED", *TOKEN_CODES}}
STAFF: Answers = {**TOKEN, 403: {"AUTH_FORBIDDEN"}}


# --- what there is to call ---


@dataclass
class Shop:
    """The people of the access matrix, and the objects that the apps created."""

    alice: User
    ids: dict[str, int] = field(default_factory=dict)  # of the parameters of paths: {"book_id": 7}
    bodies: dict[str, Any] = field(default_factory=dict)  # by route; of a DELETE by "DELETE route"
    queries: dict[str, str] = field(default_factory=dict)  # by route, of those that need one

    def path(self, route: str) -> str:
        path = "/" + re.sub(r"<(?:\w+:)?(\w+)>", lambda match: str(self.ids[match[1]]), route)
        return f"{path}?{self.queries[route]}" if route in self.queries else path

    def fill(self, template: str) -> str:
        """A path of the schema, `/books/{book_id}`."""
        return template.format(**self.ids)


def of_apps() -> list[ModuleType]:
    """The `tests/calls.py` of each installed app that has one, lower apps first."""
    configs = reversed(list(apps.get_app_configs()))
    return [
        import_module(f"{config.name}.tests.calls")
        for config in configs
        if Path(config.path, "tests", "calls.py").exists()
    ]


def furnished(alice: User) -> Shop:
    """What the apps put there. Alice gets a password, which ends her sessions: make her tokens afterwards."""
    shop = Shop(alice)
    for app in of_apps():
        app.furnish(shop)
    return shop


def access() -> dict[str, Row]:
    return {route: row for app in of_apps() for route, row in app.ACCESS.items()}


def contract() -> dict[tuple[str, str], Answers]:
    return {call: answers for app in of_apps() for call, answers in app.CONTRACT.items()}


def operations() -> list[Operation]:
    return [operation for app in of_apps() for operation in app.OPERATIONS]
