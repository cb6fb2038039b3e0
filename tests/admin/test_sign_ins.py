"""/admin/sign-ins/: staff see where they are signed in to the site, and end what is not theirs any more."""

import time

import pytest
from django.contrib.auth.models import Permission
from django.contrib.sessions.models import Session
from django.test import Client

from bookstore.accounts.tests.factories import PASSWORD, StaffFactory, SuperuserFactory
from bookstore.admin import sign_ins
from bookstore.audit.models import AuditEvent

pytestmark = pytest.mark.django_db

PAGE = "/admin/sign-ins/"


def signed_in(user, device="Firefox", address="192.0.2.7"):
    client = Client(HTTP_USER_AGENT=device, REMOTE_ADDR=address)
    answer = client.post("/admin/login/", {"username": user.email, "password": PASSWORD, "next": "/admin/"})
    assert answer.status_code == 302
    return client


def shown(client):
    return [(one.email, one.address, one.device, one.is_this) for one in client.get(PAGE).context["sign_ins"]]


@pytest.fixture
def bob(db):
    return StaffFactory(email="bob@example.com", password=PASSWORD)


def test_staff_see_their_own_sign_ins_with_address_and_device(bob):
    laptop = signed_in(bob)
    signed_in(bob, "Safari", "198.51.100.9")
    signed_in(SuperuserFactory(email="olga@example.com", password=PASSWORD))

    assert sorted(shown(laptop)) == [
        ("bob@example.com", "192.0.2.7", "Firefox", True),
        ("bob@example.com", "198.51.100.9", "Safari", False),
    ]


def test_staff_end_another_sign_in_of_theirs(bob):
    laptop, telephone = signed_in(bob), signed_in(bob, "Safari")
    [other] = [one for one in laptop.get(PAGE).context["sign_ins"] if not one.is_this]

    laptop.post(PAGE, {"name": other.name})

    assert telephone.get("/admin/").status_code == 302
    assert laptop.get("/admin/").status_code == 200
    event = AuditEvent.objects.latest("id")
    assert (event.actor, event.summary) == ("bob@example.com", "Ended a sign-in of “bob@example.com” to this site.")


def test_sign_in_of_a_colleague_is_ended_only_with_permission(bob):
    carol = StaffFactory(email="carol@example.com", password=PASSWORD)
    olgas = signed_in(SuperuserFactory(email="olga@example.com", password=PASSWORD))
    key = next(sign_ins.name_of(row.session_key) for row in Session.objects.all())
    carols = signed_in(carol)

    carols.post(PAGE, {"name": key})
    still_there = olgas.get("/admin/").status_code
    carol.user_permissions.add(Permission.objects.get(codename="change_loginsession"))
    carols.post(PAGE, {"name": key})

    assert still_there == 200
    assert olgas.get("/admin/").status_code == 302


def test_page_shows_no_key_of_a_session(bob):
    laptop = signed_in(bob)
    signed_in(bob)

    page = laptop.get(PAGE).content.decode()

    assert not [row.session_key for row in Session.objects.all() if row.session_key in page]


@pytest.mark.parametrize(
    ("began", "seen", "status"),
    [
        (0, 0, 200),
        (-7100, -500, 200),
        (-7300, -1, 302),  # older than two hours
        (-3000, -1900, 302),  # idle for more than half an hour
    ],
)
def test_session_ends_by_age_and_by_idleness(bob, settings, began, seen, status):
    settings.ADMIN_SESSION_HOURS, settings.ADMIN_IDLE_MINUTES = 2, 30
    client = signed_in(bob)
    session = client.session
    at = int(time.time())
    session[sign_ins.FACTS] |= {"began": at + began, "seen": at + seen}
    session.save()

    answer = client.get("/admin/")

    assert answer.status_code == status
    assert client.get("/admin/").status_code == status


def test_session_that_is_used_is_seen(bob, settings):
    client = signed_in(bob)
    session = client.session
    session[sign_ins.FACTS] |= {"seen": int(time.time()) - 400}
    session.save()

    client.get("/admin/")

    assert client.session[sign_ins.FACTS]["seen"] > time.time() - 60


def test_form_of_another_sign_in_is_refused_in_words_and_html(bob):
    client = Client(enforce_csrf_checks=True)
    client.force_login(bob)

    response = client.post(PAGE, {"name": "any", "csrfmiddlewaretoken": "x" * 64})

    assert response.status_code == 403
    assert "This page is out of date" in response.content.decode()
    assert "CSRF" not in response.content.decode()
