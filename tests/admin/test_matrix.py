"""Who may do what in the staff's site: every route of its URL map × GET, HEAD, POST × everybody, as one table says.

Books and carts are reached by their models' names: nothing here may import them.
"""

import re
from typing import Any
from uuid import UUID

import pytest
from django.apps import apps
from django.contrib.auth.models import Group, Permission
from django.test import Client
from django.urls import URLPattern, get_resolver
from rest_framework.test import APIClient

from bookstore.accounts.models import LoginSession, User
from bookstore.accounts.tests.factories import SuperuserFactory, UserFactory
from bookstore.audit.actor import Actor
from bookstore.audit.recording import record
from tests.contract.test_access_matrix import routes

CALLERS = ("nobody", "Alice, whose cart it is", "Bob", "Carol, staff", "Dave, staff without permission")
PASSWORD, NEXT_PASSWORD = "correct horse battery", "battery staple horse"
MODELS = (
    *("accounts.User", "accounts.LoginSession", "auth.Group"),
    *("catalog.Genre", "catalog.Book", "cart.Cart", "cart.CartItem"),
)

# A redirect to the page of login, and any other: what was asked for is done, or found elsewhere.
LOGIN, DONE = "login", "done"
Answers = tuple[int | str, ...]


def staff(with_permission: int | str, without: int | str) -> Answers:
    """Who is no staff is led to the login, whatever the page."""
    return (LOGIN, LOGIN, LOGIN, with_permission, without)


def pages(get: Answers, post: Answers) -> dict[str, Answers]:
    return {"GET": get, "HEAD": get, "POST": post}


READ, CHANGED = staff(200, 403), staff(DONE, 403)
OF_ALL_STAFF, NONE_TO_ADD = staff(200, 200), staff(403, 403)
NO_SUCH_PAGE, NO_SUCH_METHOD = staff(404, 404), staff(405, 405)
# Django's way to an object's page of change: nothing is behind it.
ELSEWHERE = staff(DONE, DONE)


def of_model(
    name: str,
    *,
    actions: Answers = CHANGED,
    add: dict[str, Answers] | None = None,
    change: Answers = CHANGED,
    delete: Answers | None = None,
    bulk: bool = True,
) -> dict[str, dict[str, Answers]]:
    return {
        f"{name}/": pages(READ, actions),
        f"{name}/add/": add or pages(READ, CHANGED),
        # An action that has not begun: led back to the list, whatever is sent.
        **({f"{name}/bulk/<uuid:key>/": pages(CHANGED, CHANGED)} if bulk else {}),
        f"{name}/<path:object_id>/history/": pages(READ, READ),
        f"{name}/<path:object_id>/delete/": pages(delete or READ, delete or CHANGED),
        f"{name}/<path:object_id>/change/": pages(READ, change),
        f"{name}/<path:object_id>/": pages(ELSEWHERE, ELSEWHERE),
    }


TABLE: dict[str, dict[str, Answers]] = {
    "": pages(OF_ALL_STAFF, OF_ALL_STAFF),
    # Staff who are signed in are led on by a GET; a POST is the form, sent by each with their own password.
    "login/": {
        "GET": (200, 200, 200, DONE, DONE),
        "HEAD": (200, 200, 200, 200, 200),
        "POST": (403, 403, 403, DONE, DONE),
    },
    # Ends the session of staff; others are led to the start, where the login awaits them.
    "logout/": pages((DONE, DONE, DONE, 405, 405), (DONE, DONE, DONE, 200, 200)),
    "password_change/": pages(OF_ALL_STAFF, staff(DONE, DONE)),
    "password_change/done/": pages(OF_ALL_STAFF, NO_SUCH_METHOD),
    "autocomplete/": pages(READ, NO_SUCH_METHOD),
    "sign-ins/": pages(OF_ALL_STAFF, staff(DONE, DONE)),
    "jsi18n/": pages(OF_ALL_STAFF, NO_SUCH_METHOD),
    "r/<path:content_type_id>/<path:object_id>/": pages(NO_SUCH_PAGE, NO_SUCH_PAGE),
    **of_model("catalog/genre"),
    **of_model("catalog/book"),
    "catalog/book/import/": pages(READ, READ),
    "catalog/book/process_import/": pages(NO_SUCH_METHOD, CHANGED),
    "catalog/book/import/template/": pages(READ, READ),
    # There is no import to look at.
    "catalog/book/import/<id:key>/": pages(staff(404, 403), staff(404, 403)),
    "catalog/book/import/<id:key>/rows/": pages(staff(404, 403), staff(404, 403)),
    "catalog/book/import/<id:key>/read/": pages(NO_SUCH_METHOD, staff(404, 403)),
    "catalog/book/import/<id:key>/cancel/": pages(NO_SUCH_METHOD, staff(404, 403)),
    "catalog/book/export/": pages(READ, READ),
    # A cart is made by its customer's first add; many at once are not changed.
    **of_model("cart/cart", bulk=False, actions=READ, add=pages(NONE_TO_ADD, NONE_TO_ADD)),
    # What a group may do is the superuser's to say.
    **of_model("auth/group", actions=READ, add=pages(NONE_TO_ADD, NONE_TO_ADD), change=NONE_TO_ADD, delete=NONE_TO_ADD),
    # A session is made by a login, and not changed but ended: by the action of the list.
    **of_model("accounts/loginsession", add=pages(NONE_TO_ADD, NONE_TO_ADD), change=NONE_TO_ADD),
    **of_model("accounts/user"),
    "accounts/user/<id>/password/": pages(READ, CHANGED),
    # Nobody adds, changes or deletes what is in the history.
    **of_model(
        "audit/auditevent",
        bulk=False,
        actions=READ,
        add=pages(NONE_TO_ADD, NONE_TO_ADD),
        change=NONE_TO_ADD,
        delete=NONE_TO_ADD,
    ),
    "audit/auditevent/<path:object_id>/history/": pages(ELSEWHERE, ELSEWHERE),
    "audit/auditevent/export/": pages(READ, READ),
    "audit/auditevent/<int:event_id>/export/": pages(READ, READ),
    # Of an app of which somebody may see nothing there is no page.
    "<app_label>/": pages(staff(200, 404), staff(200, 404)),
    "(?P<url>.*)$": pages(NO_SUCH_PAGE, NO_SUCH_PAGE),
}
# What changes the caller's own account or session, whatever their permissions.
OWN = {"login/", "sign-ins/", "logout/", "password_change/"}
# Answered with a redirect, and nothing done: there is no file to import, or nothing to do at all.
# A deletion of several leads to the page that asks.
ONLY_LED_ON = {
    *("catalog/book/process_import/", "catalog/genre/", "auth/group/", "accounts/user/"),
    *(route for route in TABLE if "/bulk/" in route),
} | {route for route in TABLE if TABLE[route]["POST"] == ELSEWHERE}

BOOK = {"title": "Dracula", "author": "Bram Stoker", "price": "9.50", "stock_quantity": "3", "is_active": "on"}
NEW_PASSWORD = {"password1": NEXT_PASSWORD, "password2": NEXT_PASSWORD}
FORMS: dict[str, dict[str, str]] = {
    "password_change/": {
        "old_password": PASSWORD,
        "new_password1": NEXT_PASSWORD,
        "new_password2": NEXT_PASSWORD,
    },
    "catalog/genre/add/": {"name": "Gothic"},
    "catalog/genre/<path:object_id>/change/": {"name": "Gothic"},
    "catalog/book/add/": BOOK,
    "catalog/book/<path:object_id>/change/": BOOK,
    "cart/cart/<path:object_id>/change/": {"verb": "quantity", "quantity": "4"},
    "auth/group/add/": {"name": "Sellers"},
    "auth/group/<path:object_id>/change/": {"name": "Sellers"},
    "accounts/user/add/": {"email": "erin@example.com", "usable_password": "true", **NEW_PASSWORD},
    "accounts/user/<path:object_id>/change/": {"email": "rob@example.com", "is_active": "on"},
    "accounts/user/<id>/password/": {"usable_password": "true", **NEW_PASSWORD},
}


def admin_routes() -> dict[str, URLPattern]:
    return {
        re.sub(r"\^\(\?P<app_label>[a-z|]+\)/\$", "<app_label>/", route.removeprefix("admin/")): pattern
        for route, pattern in routes(get_resolver().url_patterns)
        if route.startswith("admin/")
    }


class Site:
    """The callers, and what there is: each route's path, and the form that a POST sends there."""

    def __init__(self) -> None:
        people = [UserFactory(email=f"{name}@example.com") for name in ("alice", "bob", "carol", "dave")]
        for person in people:
            person.set_password(PASSWORD)
            person.is_staff = person.email[:4] in {"caro", "dave"}
            person.save()
        alice, bob, carol, _ = people
        carol.user_permissions.set(Permission.objects.all())
        self.callers: list[User | None] = [None, *people]
        genre = apps.get_model("catalog", "Genre").objects.create(name="Classics")
        book = apps.get_model("catalog", "Book").objects.create(
            title="Emma", author="Jane Austen", price="9.50", stock_quantity=5
        )
        cart = apps.get_model("cart", "Cart").objects.create(user=alice)
        self.line = apps.get_model("cart", "CartItem").objects.create(
            cart=cart, book=book, quantity=1, price_at_add="9.50"
        )
        self.objects = {
            "catalog/genre/": genre,
            "catalog/book/": book,
            "cart/cart/": cart,
            "auth/group/": Group.objects.create(name="Buyers"),
            "accounts/loginsession/": LoginSession.objects.begin(bob),
            "accounts/user/": bob,
            "audit/auditevent/": record(Actor.of_command("manage.py x"), "Added “Buyers”.", []),
        }

    def client(self, caller: int, **options: Any) -> Client:
        client = Client(raise_request_exception=False, **options)
        if user := self.callers[caller]:
            client.force_login(user)
        return client

    def path(self, route: str) -> str:
        pk = str(next((found.pk for name, found in self.objects.items() if route.startswith(name)), 1))
        path = (
            route.replace("<path:object_id>", pk)
            .replace("<id>", pk)
            .replace("<id:key>", "1")
            .replace("<int:event_id>", pk)
            .replace("<uuid:key>", str(UUID(int=1)))
            .replace("<path:content_type_id>", "1")
        )
        path = path.replace("<app_label>", "cart").replace("(?P<url>.*)$", "x/")
        return f"/admin/{path}" + ("?app_label=cart&model_name=cartitem&field_name=book" * (route == "autocomplete/"))

    def form(self, route: str, caller: int) -> dict[str, Any]:
        if route == "login/":
            user = self.callers[caller]
            return {"username": user.email if user else "x@example.com", "password": PASSWORD, "next": "/admin/"}
        if route.endswith("/delete/"):
            return {"post": "yes"}
        if route in self.objects:
            action = {"catalog/book/": "withdraw", "accounts/loginsession/": "end"}.get(route, "delete_selected")
            return {"action": action, "_selected_action": self.objects[route].pk}
        return FORMS.get(route, {}) | ({"line": self.line.pk} if route == "cart/cart/<path:object_id>/change/" else {})


@pytest.fixture
def site(db):
    return Site()


def rows() -> dict[str, list[Any]]:
    """Everything that there is to change."""
    return {model: list(apps.get_model(model).objects.order_by("pk").values_list()) for model in MODELS}


def said(response: Any) -> int | str:
    if response.status_code not in {301, 302}:
        return int(response.status_code)
    return LOGIN if response.headers["Location"].startswith("/admin/login/") else DONE


def test_the_table_has_every_route_of_the_site():
    assert set(TABLE) == set(admin_routes())


@pytest.mark.parametrize("caller", range(len(CALLERS)), ids=CALLERS)
@pytest.mark.parametrize("route", TABLE)
def test_pages_are_answered_as_the_table_says(site, route, caller):
    client, path = site.client(caller), site.path(route)
    before = rows()

    answers = {method: said(client.generic(method, path)) for method in ("GET", "HEAD")}
    after_reading = rows()
    answers["POST"] = said(client.post(path, site.form(route, caller)))

    assert answers == {method: TABLE[route][method][caller] for method in answers}
    assert after_reading == before
    # A POST that is allowed does something, else it would show little that another is not.
    allowed = CALLERS[caller].startswith("Carol") and answers["POST"] == DONE and route not in ONLY_LED_ON
    if route not in OWN:
        assert (rows() != before) == allowed


@pytest.mark.parametrize("route", TABLE)
def test_a_token_of_the_api_opens_no_page(site, client_for, route):
    """Not even that of somebody who may do everything, and who is signed in to the API only."""
    client: APIClient = client_for(SuperuserFactory())
    before = rows()

    answers = [said(client.get(site.path(route))), said(client.post(site.path(route), {}, format="multipart"))]

    nobody = [TABLE[route]["GET"][0], TABLE[route]["POST"][0]]
    assert client.get("/cart").status_code == 200  # it is a good one
    assert answers == nobody
    assert rows() == before


@pytest.mark.parametrize("route", [route for route in TABLE if DONE in TABLE[route]["POST"]])
def test_a_form_of_another_site_changes_nothing(site, route):
    carol = CALLERS.index("Carol, staff")
    client = site.client(carol, enforce_csrf_checks=True)
    before = rows()

    response = client.post(site.path(route), site.form(route, carol))

    assert response.status_code == 403
    assert rows() == before
