"""Every link that each group sees in the staff's site works: no page links to a forbidden one."""

import re
from html import unescape
from urllib.parse import urljoin

import pytest
from django.apps import apps
from django.contrib.auth.models import Group, Permission
from django.test import Client

from bookstore.accounts.models import LoginSession
from bookstore.accounts.tests.factories import StaffFactory, UserFactory
from bookstore.audit.actor import Actor
from bookstore.audit.recording import added, record

pytestmark = [pytest.mark.django_db, pytest.mark.slow, pytest.mark.any_database]

LINK = re.compile(r'<a\b[^>]*?href="([^"]*)"')
FORM = re.compile(r'<form\b[^>]*?action="([^"]*)"')
FOLLOWED = 400  # pages of one reader


@pytest.fixture
def shop(db):
    """One object of each kind."""
    alice = UserFactory(email="alice@example.com")
    genre = apps.get_model("catalog", "Genre").objects.create(name="Novel")
    emma = {"title": "Emma", "author": "Jane Austen", "price": "9.50", "stock_quantity": 5, "genre_id": genre.pk}
    book = apps.get_model("catalog", "Book").objects.add(**emma)
    apps.get_model("cart", "Cart").objects.for_user(alice).add(book, 2)
    LoginSession.objects.begin(alice)
    record(Actor.of_command("manage.py x"), "Added “Emma”.", [added(book)])


def readers():
    """The groups that a shop begins with, one that only looks at everything, and one that looks and changes carts."""
    groups = [(group.name, list(group.permissions.all())) for group in Group.objects.all()]
    looking = Permission.objects.filter(codename__startswith="view_")
    return [*groups, ("looks", list(looking)), ("nobody's group", [])]


def without_facets(address):
    """Lists lead to themselves in thousands of orders and filters: one of each is enough."""
    path, _, query = address.partition("?")
    names = sorted({part.partition("=")[0] for part in query.split("&")} - {""})
    return f"{path}?{'&'.join(names)}" if len(names) < 2 else f"{path}?many"


@pytest.mark.parametrize("number", range(4))
def test_no_link_that_a_group_sees_leads_to_a_refusal(shop, number):
    name, permissions = readers()[number]
    bob = StaffFactory(email="bob@example.com")
    bob.user_permissions.set(permissions)
    client = Client(raise_request_exception=False)
    client.force_login(bob)
    waiting, seen, refused = ["/admin/"], set(), []

    while waiting and len(seen) < FOLLOWED:
        address = waiting.pop(0)
        if without_facets(address) in seen or "logout" in address or not address.startswith("/admin/"):
            continue
        seen.add(without_facets(address))
        response = client.get(address)
        if response.status_code in {403, 404, 500}:
            refused.append((name, address, response.status_code))
        if response.status_code != 200 or "html" not in response.headers["Content-Type"]:
            continue
        page = response.content.decode()
        links = [urljoin(address, unescape(link)).partition("#")[0] for link in LINK.findall(page) + FORM.findall(page)]
        waiting += links

    assert refused == []
    assert len(seen) >= 3
