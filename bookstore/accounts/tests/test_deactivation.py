"""A deactivation ends sessions and admin cookies for good: they stay refused after an activation."""

import pytest
from django.contrib.auth.hashers import make_password
from django.urls import reverse

from bookstore.accounts.exceptions import LastSuperuser
from bookstore.accounts.models import LoginSession, User
from bookstore.accounts.tests.factories import PASSWORD, StaffFactory, SuperuserFactory, UserFactory

pytestmark = pytest.mark.django_db


def by_save(user: User, active: bool) -> None:
    user.is_active = active
    user.save(update_fields=["is_active"])


def by_a_whole_save(user: User, active: bool) -> None:
    user.is_active = active
    user.save()


def by_update(user: User, active: bool) -> None:
    User.objects.filter(pk=user.pk).update(is_active=active)


def by_bulk_update(user: User, active: bool) -> None:
    user.is_active = active
    User.objects.bulk_update([user], ["is_active"])


ways = pytest.mark.parametrize("write", [by_save, by_a_whole_save, by_update, by_bulk_update])


@ways
def test_tokens_of_a_reactivated_user_stay_refused(api, alice, tokens_of, call_with, write):
    before = tokens_of(alice)

    write(alice, False)
    write(alice, True)

    access = call_with(f"Bearer {before['access_token']}")
    refreshed = api.post("/auth/refresh", {"refresh_token": before["refresh_token"]})
    assert (access.status_code, access.json()["code"]) == (401, "AUTH_SESSION_OVER")
    assert (refreshed.status_code, refreshed.json()["code"]) == (401, "AUTH_REFRESH_INVALID")
    assert list(LoginSession.objects.over()) == list(LoginSession.objects.all())


@ways
def test_cookie_of_reactivated_staff_stays_refused(client, write):
    clerk = StaffFactory(email="clerk@example.com")
    client.post(reverse("admin:login"), {"username": clerk.email, "password": PASSWORD})
    assert client.get(reverse("admin:index")).status_code == 200

    write(clerk, False)
    write(clerk, True)

    assert client.get(reverse("admin:index")).status_code == 302


@ways
def test_reactivated_user_signs_in_anew(api, alice, call_with, write):
    write(alice, False)
    write(alice, True)

    response = api.post("/auth/login", {"email": alice.email, "password": PASSWORD})

    assert call_with(f"Bearer {response.json()['access_token']}").status_code == 200


def test_saving_somebody_active_signs_nobody_out(alice, tokens_of, call_with):
    token = tokens_of(alice)["access_token"]

    alice.save()

    assert call_with(f"Bearer {token}").status_code == 200


def no_staff_by_save(user):
    user.is_staff = False
    user.save(update_fields=["is_staff"])


def no_password_by_save(user):
    user.set_unusable_password()
    user.save(update_fields=["password"])


TAKEN_AWAY = {
    "deactivated": lambda user: by_save(user, False),
    "deactivated by update": lambda user: by_update(user, False),
    "no superuser any more": lambda user: User.objects.filter(pk=user.pk).update(is_superuser=False),
    "no staff any more": lambda user: User.objects.filter(pk=user.pk).update(is_staff=False),
    "no staff any more by save": no_staff_by_save,
    "no password any more": lambda user: User.objects.filter(pk=user.pk).update(password=make_password(None)),
    "no password any more by save": no_password_by_save,
    "deleted": lambda user: user.delete(),
    "deleted by a queryset": lambda user: User.objects.filter(pk=user.pk).delete(),
}


@pytest.mark.parametrize("take", TAKEN_AWAY.values(), ids=TAKEN_AWAY.keys())
def test_last_superuser_stays(take):
    owner = SuperuserFactory()
    SuperuserFactory(is_active=False)
    SuperuserFactory(is_staff=False)
    SuperuserFactory(password=None)

    with pytest.raises(LastSuperuser):
        take(owner)

    owner.refresh_from_db()
    assert (owner.is_superuser, owner.is_active, owner.is_staff, owner.has_usable_password()) == (True,) * 4


@pytest.mark.parametrize("take", TAKEN_AWAY.values(), ids=TAKEN_AWAY.keys())
def test_superuser_beside_another_may_go(take):
    SuperuserFactory()

    take(SuperuserFactory())

    assert User.objects.superusers().count() == 1


def test_customers_are_deactivated_and_deleted_without_superuser(alice):
    bob = UserFactory()

    by_save(alice, False)
    bob.delete()

    assert list(User.objects.values_list("email", "is_active")) == [(alice.email, False)]
