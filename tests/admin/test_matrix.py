"""Access to the staff's site in one table: every route × GET, HEAD, POST × every kind of caller.

Each app declares the rows of its pages in its `tests/staff_pages.py`.
"""

import re
from typing import Any
from uuid import UUID

import pytest
from django.apps import apps
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import URLPattern
from rest_framework.test import APIClient

from bookstore.accounts.models import User
from bookstore.accounts.tests.factories import SuperuserFactory, UserFactory
from tests.support.routes import routes
from tests.support.staff_pages import (
    CALLERS,
    DONE,
    ELSEWHERE,
    LOGIN,
    NEXT_PASSWORD,
    NO_SUCH_METHOD,
    NO_SUCH_PAGE,
    OF_ALL_STAFF,
    PASSWORD,
    READ,
    Answers,
    of_apps,
    pages,
    staff,
)

TABLE: dict[str, dict[str, Answers]] = {
    "": pages(OF_ALL_STAFF, OF_ALL_STAFF),
    # A GET redirects signed-in staff; a POST sends the form with the caller's own password.
    "login/": {
        "GET": (200, 200, 200, DONE, DONE),
        "HEAD": (200, 200, 200, 200, 200),
        "POST": (403, 403, 403, DONE, DONE),
    },
    # Ends the session of staff; redirects others to the sign-in.
    "logout/": pages((DONE, DONE, DONE, 405, 405), (DONE, DONE, DONE, 200, 200)),
    "password_change/": pages(OF_ALL_STAFF, staff(DONE, DONE)),
    "password_change/done/": pages(OF_ALL_STAFF, NO_SUCH_METHOD),
    "autocomplete/": pages(READ, NO_SUCH_METHOD),
    "sign-ins/": pages(OF_ALL_STAFF, staff(DONE, DONE)),
    "jsi18n/": pages(OF_ALL_STAFF, NO_SUCH_METHOD),
    "r/<path:content_type_id>/<path:object_id>/": pages(NO_SUCH_PAGE, NO_SUCH_PAGE),
    **{route: row for app in of_apps() for route, row in app.PAGES.items()},
    # 404 for staff who may see nothing of the app.
    "<app_label>/": pages(staff(200, 404), staff(200, 404)),
    "(?P<url>.*)$": pages(NO_SUCH_PAGE, NO_SUCH_PAGE),
}
# Changes of the caller's own account or session, which need no permission.
OWN = {"login/", "sign-ins/", "logout/", "password_change/"}
# The words of the scripts: a cache may keep them. All other pages of staff it may not.
THE_SAME_FOR_ALL = {"jsi18n/"}
# Answered with a redirect, and nothing done.
ONLY_LED_ON = {
    *(route for app in of_apps() for route in app.ONLY_LED_ON),
    *(route for route in TABLE if "/bulk/" in route or TABLE[route]["POST"] == ELSEWHERE),
}
MODELS = [model for app in of_apps() for model in app.MODELS]
ACTIONS = {route: action for app in of_apps() for route, action in app.ACTIONS.items()}
CAROL = next(number for number, name in enumerate(CALLERS) if name.startswith("Carol"))
OWN_PASSWORD = {"old_password": PASSWORD, "new_password1": NEXT_PASSWORD, "new_password2": NEXT_PASSWORD}


def admin_routes() -> dict[str, URLPattern]:
    return {
        re.sub(r"\^\(\?P<app_label>[a-z|]+\)/\$", "<app_label>/", route.removeprefix("admin/")): pattern
        for route, pattern in routes()
        if route.startswith("admin/")
    }


# Only Carol sees and changes rows; that the others may not, no database decides.
EVERYBODY = [
    pytest.param(number, id=name, marks=[] if number == CAROL else pytest.mark.any_database)
    for number, name in enumerate(CALLERS)
]


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
        self.alice, self.bob = alice, bob
        self.objects: dict[str, Any] = {}
        self.forms = {route: dict(form) for app in of_apps() for route, form in app.FORMS.items()}
        self.forms["password_change/"] = dict(OWN_PASSWORD)
        for app in of_apps():
            app.furnish(self)

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
            return {"action": ACTIONS.get(route, "delete_selected"), "_selected_action": self.objects[route].pk}
        return self.forms.get(route, {})


@pytest.fixture(scope="module")
def site_of_module(rows_of_module):
    return rows_of_module(Site)


@pytest.fixture
def site(db, site_of_module):
    return site_of_module


def rows() -> dict[str, list[Any]]:
    """Everything that there is to change."""
    return {model: list(apps.get_model(model).objects.order_by("pk").values_list()) for model in MODELS}


def said(response: Any) -> int | str:
    if response.status_code not in {301, 302}:
        return int(response.status_code)
    return LOGIN if response.headers["Location"].startswith("/admin/login/") else DONE


def test_the_table_has_every_route_of_the_site():
    assert set(TABLE) == set(admin_routes())


@pytest.mark.slow
@pytest.mark.parametrize("caller", EVERYBODY)
@pytest.mark.parametrize("route", TABLE)
def test_pages_are_answered_as_the_table_says(site, route, caller):
    client, path = site.client(caller), site.path(route)
    before = rows()

    page = client.get(path)
    answers = {"GET": said(page), "HEAD": said(client.head(path))}
    after_reading = rows()
    answers["POST"] = said(client.post(path, site.form(route, caller)))

    assert answers == {method: TABLE[route][method][caller] for method in answers}
    assert after_reading == before
    # A POST that is allowed does something, else it would show little that another is not.
    allowed = CALLERS[caller].startswith("Carol") and answers["POST"] == DONE and route not in ONLY_LED_ON
    if route not in OWN:
        assert (rows() != before) == allowed
    if CALLERS[caller].startswith(("Carol", "Dave")) and route not in THE_SAME_FOR_ALL:
        assert "no-store" in page.headers.get("Cache-Control", "") or page.content == b""


@pytest.mark.slow
def test_a_page_that_is_refused_names_who_is_signed_in(site):
    """So a cache that kept it would tell the next one."""
    dave = site.client(CALLERS.index("Dave, staff without permission"))

    response = dave.get(site.path("accounts/user/"))

    assert response.status_code == 403
    assert "dave@example.com" in response.content.decode()


@pytest.mark.slow
@pytest.mark.any_database
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


@pytest.mark.slow
@pytest.mark.any_database
@pytest.mark.parametrize("route", [route for route in TABLE if DONE in TABLE[route]["POST"]])
def test_a_form_of_another_site_changes_nothing(site, route):
    client = site.client(CAROL, enforce_csrf_checks=True)
    before = rows()

    response = client.post(site.path(route), site.form(route, CAROL))

    assert response.status_code == 403
    assert rows() == before
