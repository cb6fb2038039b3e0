"""Only superusers grant permissions: staff who may change users can change customers, but no permissions."""

import pytest
from django.contrib.auth.models import Group, Permission
from django.urls import reverse

from bookstore.accounts.models import User
from bookstore.accounts.tests.factories import PASSWORD, StaffFactory, SuperuserFactory, UserFactory

pytestmark = pytest.mark.django_db

NEW = {"usable_password": "true", "password1": "another horse battery", "password2": "another horse battery"}


@pytest.fixture
def clerk() -> User:
    """Has all of Django's permissions on users."""
    clerk = StaffFactory(email="clerk@example.com")
    clerk.user_permissions.set(Permission.objects.filter(content_type__app_label__in=["accounts", "auth"]))
    return clerk


@pytest.fixture
def site(client, clerk):
    client.force_login(clerk)
    return client


def page_of(user: User) -> str:
    return reverse("admin:accounts_user_change", args=[user.pk])


def password_of(user: User) -> str:
    return reverse("admin:auth_user_password_change", args=[user.pk])


def test_staff_change_a_customer_and_no_right(site, alice):
    group = Group.objects.get(name="Catalogue")
    sent = {
        "email": "alice.liddell@example.com",
        "is_active": "on",
        "is_staff": "on",
        "is_superuser": "on",
        "groups": [group.pk],
        "user_permissions": [Permission.objects.first().pk],
    }

    response = site.post(page_of(alice), sent)

    assert response.status_code == 302
    alice.refresh_from_db()
    assert (alice.email, alice.is_staff, alice.is_superuser) == ("alice.liddell@example.com", False, False)
    assert (alice.groups.count(), alice.user_permissions.count()) == (0, 0)


@pytest.mark.parametrize("somebody", [SuperuserFactory, StaffFactory, None], ids=["superuser", "colleague", "herself"])
def test_staff_change_delete_and_take_over_nobody_with_rights(site, clerk, somebody):
    other = somebody() if somebody else clerk
    before = User.objects.filter(pk=other.pk).values().get()

    answers = [
        site.post(page_of(other), {"email": "eve@example.com", "is_superuser": "on"}).status_code,
        site.post(password_of(other), NEW).status_code,
        site.post(reverse("admin:accounts_user_delete", args=[other.pk]), {"post": "yes"}).status_code,
    ]

    assert answers == [403, 403, 403]
    assert User.objects.filter(pk=other.pk).values().get() == before


def test_staff_do_not_delete_a_colleague_among_customers(site, alice):
    owner = SuperuserFactory()
    chosen = {"action": "delete_selected", "_selected_action": [alice.pk, owner.pk], "post": "yes"}

    site.post(reverse("admin:accounts_user_changelist"), chosen)

    assert User.objects.filter(pk=owner.pk).exists()


def test_staff_change_no_group(site):
    group = Group.objects.get(name="Customer support")
    page = reverse("admin:auth_group_change", args=[group.pk])

    assert site.get(page).status_code == 200
    assert site.post(page, {"name": "Support", "permissions": []}).status_code == 403
    assert site.post(reverse("admin:auth_group_add"), {"name": "Owners"}).status_code == 403
    assert site.post(reverse("admin:auth_group_delete", args=[group.pk]), {"post": "yes"}).status_code == 403


def test_superuser_gives_rights(client, alice):
    client.force_login(SuperuserFactory())

    client.post(page_of(alice), {"email": alice.email, "is_active": "on", "is_staff": "on", "is_superuser": "on"})

    alice.refresh_from_db()
    assert (alice.is_staff, alice.is_superuser) == (True, True)


@pytest.mark.parametrize("change", [{"is_active": ""}, {"is_superuser": ""}, {"is_staff": ""}])
def test_last_superuser_is_told_that_she_stays(client, change):
    owner = SuperuserFactory(email="owner@example.com")
    client.force_login(owner)
    shown = {"email": owner.email, "is_active": "on", "is_staff": "on", "is_superuser": "on"}
    sent = {name: value for name, value in (shown | change).items() if value}
    sent |= {f"initial-{name}": "True" for name in ("is_active", "is_staff", "is_superuser")}

    response = client.post(page_of(owner), sent | {"initial-email": owner.email}, follow=True)

    assert "nobody who may do everything would be left" in response.content.decode()
    owner.refresh_from_db()
    assert (owner.is_active, owner.is_superuser, owner.is_staff) == (True, True, True)


@pytest.mark.parametrize("codenames", [["view_user"], ["view_user", "change_user"]], ids=["looks", "changes"])
def test_page_shows_nothing_of_the_hash(client, alice, codenames):
    clerk = StaffFactory()
    clerk.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    client.force_login(clerk)
    User.objects.filter(pk=alice.pk).update(password="argon2$argon2id$v=19$m=19456,t=2,p=1$SaltySalt$HashyHash")

    page = client.get(page_of(alice)).content.decode()

    assert [part for part in ("argon2", "19456", "Sal", "Has") if part in page.replace("Has no", "")] == []


@pytest.mark.parametrize(("codenames", "linked"), [(["view_user"], False), (["view_user", "change_user"], True)])
def test_link_to_the_password_is_there_for_who_may_set_it(client, alice, codenames, linked):
    clerk = StaffFactory()
    clerk.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    client.force_login(clerk)

    page = client.get(page_of(alice)).content.decode()

    assert ("Set another password" in page, password_of(alice) in page) == (linked, linked)
    assert (client.get(password_of(alice)).status_code == 200) is linked


@pytest.mark.parametrize("password", ["correct horse battery " * 10, "correct\0horse battery"])
def test_admin_sets_no_password_that_the_api_refuses(client, alice, password):
    client.force_login(SuperuserFactory())

    response = client.post(password_of(alice), NEW | {"password1": password, "password2": password})

    assert response.status_code == 200
    alice.refresh_from_db()
    assert alice.check_password(PASSWORD)


def test_user_without_a_password_is_shown_as_such(client):
    client.force_login(SuperuserFactory())
    dora = UserFactory(email="dora@example.com", password=None)

    assert "None: this user cannot sign in" in client.get(page_of(dora)).content.decode()
