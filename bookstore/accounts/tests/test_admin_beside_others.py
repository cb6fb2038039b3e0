"""The pages of users while somebody else changes or deletes the same user."""

import pytest
from django.contrib.auth.models import Group, Permission
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse

from bookstore.accounts.admin import TellsOfOneEmail
from bookstore.accounts.models import User
from bookstore.accounts.tests.factories import PASSWORD, SuperuserFactory, UserFactory
from tests.support.racing import answer_beside

GONE = "The user “alice@example.com” was deleted meanwhile: nothing was changed."
NEW_PASSWORD = {
    "usable_password": "true",
    "password1": "another horse battery",
    "password2": "another horse battery",
}


@pytest.fixture
def site(db):
    client = Client(raise_request_exception=False)
    client.force_login(SuperuserFactory(email="owner@example.com"))
    return client


def page_of(user: User) -> str:
    return reverse("admin:accounts_user_change", args=[user.pk])


def form_of(response):
    """The data of the page's form as a browser would send it unchanged."""
    sent = {}
    for bound in response.context["adminform"].form:
        value = bound.value()
        if bound.name == "password":
            continue
        many = [str(key) for key in value] if isinstance(value, list) else None
        sent[bound.html_name] = many if many is not None else "on" if value is True else value or ""
        sent[bound.html_initial_name] = many if many is not None else str(value)
    return {name: value for name, value in sent.items() if value not in ("", False)}


def told(response) -> list[str]:
    assert response.status_code == 302, response.status_code
    return [str(message) for message in get_messages(response.wsgi_request)]


def test_page_carries_what_it_showed_and_nothing_of_the_password(site, alice):
    page = site.get(page_of(alice)).content.decode()

    assert '<input type="hidden" name="initial-is_active" value="True"' in page
    assert "initial-password" not in page
    assert alice.credential not in page


def test_page_leaves_the_deactivation_of_a_colleague(site, alice):
    User.objects.filter(pk=alice.pk).update(is_staff=True)
    sent = form_of(site.get(page_of(alice)))
    User.objects.filter(pk=alice.pk).update(is_active=False, is_staff=False, password="!")

    response = site.post(page_of(alice), sent | {"email": "alice.adams@example.com"})

    assert response.status_code == 302
    alice.refresh_from_db()
    assert (alice.email, alice.is_active, alice.is_staff, alice.password) == (
        "alice.adams@example.com",
        False,
        False,
        "!",
    )


def test_page_leaves_the_groups_and_permissions_that_nobody_touched(site, alice):
    support, catalogue, night = (
        Group.objects.get_or_create(name=name)[0] for name in ("Support", "Catalogue", "Night")
    )
    look, change = Permission.objects.filter(codename__in=["view_user", "change_user"]).order_by("-codename")
    alice.groups.set([support, catalogue])
    alice.user_permissions.set([look])
    sent = form_of(site.get(page_of(alice)))
    alice.groups.remove(support)
    alice.user_permissions.set([change])

    site.post(page_of(alice), sent | {"groups": [str(support.pk), str(night.pk)]})

    assert set(alice.groups.all()) == {night}
    assert set(alice.user_permissions.all()) == {change}


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("touched", [{"is_staff": "on"}, {"groups": ["1"]}, {}], ids=["field", "group", "nothing"])
def test_page_does_not_bring_back_a_user_who_is_being_deleted(site, alice, touched):
    Group.objects.get_or_create(pk=1, defaults={"name": "Support"})
    path = page_of(alice)
    sent = form_of(site.get(path)) | touched

    key = alice.pk
    response = answer_beside(alice.delete, lambda: site.post(path, sent))

    assert told(response) == [f"There is no user with the number {key} any more. Nothing was changed."]
    assert not User.objects.filter(email="alice@example.com").exists()


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_password_page_does_not_bring_back_a_deleted_user(site, alice):
    path = reverse("admin:auth_user_password_change", args=[alice.pk])

    response = answer_beside(alice.delete, lambda: site.post(path, NEW_PASSWORD))

    assert told(response) == [GONE]
    assert not User.objects.filter(email="alice@example.com").exists()


def test_page_of_the_password_leaves_the_deactivation_of_a_colleague(site, alice, monkeypatch):
    set_password = User.set_password

    def while_a_colleague_deactivates(self, raw):
        User.objects.filter(pk=self.pk).update(is_active=False)
        set_password(self, raw)

    monkeypatch.setattr(User, "set_password", while_a_colleague_deactivates)
    response = site.post(reverse("admin:auth_user_password_change", args=[alice.pk]), NEW_PASSWORD)

    assert response.status_code == 302
    alice.refresh_from_db()
    assert alice.check_password("another horse battery")
    assert not alice.is_active


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_own_password_change_does_not_bring_back_deleted_staff(site):
    owner = User.objects.get()
    SuperuserFactory(email="colleague@example.com")  # the last one could not be deleted
    fields = {
        "old_password": PASSWORD,
        "new_password1": "another horse battery",
        "new_password2": "another horse battery",
    }

    response = answer_beside(owner.delete, lambda: site.post(reverse("admin:password_change"), fields))

    assert told(response) == ["The user “owner@example.com” was deleted meanwhile: nothing was changed."]
    assert not User.objects.filter(pk=owner.pk).exists()


def test_email_that_somebody_registers_meanwhile_is_told(site, alice, monkeypatch):
    sent = form_of(site.get(page_of(alice)))
    monkeypatch.setattr(User, "validate_constraints", lambda self, exclude=None: None)
    monkeypatch.setattr(User, "validate_unique", lambda self, exclude=None: None)
    monkeypatch.setattr(TellsOfOneEmail, "clean_email", lambda self: self.cleaned_data["email"])
    UserFactory(email="bob@example.com")

    response = site.post(page_of(alice), sent | {"email": "bob@example.com"})

    assert told(response) == ["Somebody else has just saved another of the same name: nothing was changed."]


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_staff_who_are_being_deleted_are_not_signed_in():
    client = Client(raise_request_exception=False)
    owner = SuperuserFactory(email="owner@example.com")
    SuperuserFactory(email="colleague@example.com")
    fields = {"username": "owner@example.com", "password": PASSWORD}

    response = answer_beside(owner.delete, lambda: client.post(reverse("admin:login"), fields))

    assert told(response) == ["Nobody was signed in: this account was deleted meanwhile."]
    assert client.get(reverse("admin:index")).status_code == 302


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_page_does_not_bring_back_a_group_that_is_being_deleted(site):
    night = Group.objects.create(name="Night")
    path = reverse("admin:auth_group_change", args=[night.pk])

    key = night.pk
    response = answer_beside(night.delete, lambda: site.post(path, {"name": "Day", "initial-name": "Night"}))

    assert told(response) == [f"There is no group with the number {key} any more. Nothing was changed."]
    assert not Group.objects.filter(name="Day").exists()
