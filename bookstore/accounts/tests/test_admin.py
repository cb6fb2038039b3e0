"""The admin pages of users and sessions."""

import html
import re

import pytest
from django.contrib.auth.models import Group, Permission
from django.urls import reverse

from bookstore.accounts.admin import UNPROVED
from bookstore.accounts.models import LoginSession, User
from bookstore.accounts.tests.factories import PASSWORD, StaffFactory, SuperuserFactory, UserFactory

pytestmark = pytest.mark.django_db

USERS = reverse("admin:accounts_user_changelist")
SESSIONS = reverse("admin:accounts_loginsession_changelist")


@pytest.fixture
def owner(db) -> User:
    return SuperuserFactory(email="owner@example.com")


@pytest.fixture
def site(client, owner):
    client.force_login(owner)
    return client


@pytest.fixture
def clerk_site(client):
    """A function: the site as staff with just these permissions sees it."""

    def sign_in(*codenames: str):
        clerk = StaffFactory()
        clerk.user_permissions.set(Permission.objects.filter(codename__in=codenames))
        client.force_login(clerk)
        return client

    return sign_in


def test_staff_sign_in_by_email_in_any_case(client, owner):
    response = client.post(reverse("admin:login"), {"username": "Owner@Example.com", "password": PASSWORD})

    assert response.status_code == 302
    assert client.get(USERS).status_code == 200


def test_customer_does_not_get_in(client, alice):
    response = client.post(reverse("admin:login"), {"username": alice.email, "password": PASSWORD})

    assert response.status_code == 403
    assert response.context["form"].non_field_errors() == [
        "No member of staff has this email and this password. The case of the password matters."
    ]
    assert client.get(USERS).status_code == 302


def test_deactivated_staff_does_not_get_in(client):
    StaffFactory(email="clerk@example.com", is_active=False)

    client.post(reverse("admin:login"), {"username": "clerk@example.com", "password": PASSWORD})

    assert client.get(reverse("admin:index")).status_code == 302


@pytest.mark.parametrize("rows", [1, 3])
def test_list_of_users_costs_the_same_for_any_number(site, rows, django_assert_num_queries):
    for _ in range(rows):
        UserFactory()

    # The session, its user, the groups of the filter, the count, the page.
    with django_assert_num_queries(5):
        response = site.get(USERS)

    assert response.status_code == 200
    assert response.context["cl"].result_count == rows + 1


def test_user_is_found_by_email(site, alice, bob):
    response = site.get(USERS, {"q": "ALICE"})

    assert list(response.context["cl"].result_list) == [alice]


def test_users_are_filtered_by_group_and_never_by_having_none(site, alice, bob):
    support = Group.objects.get(name="Customer support")
    bob.groups.add(support)

    response = site.get(USERS, {"groups__id__exact": support.pk})

    [spec] = [spec for spec in response.context["cl"].filter_specs if spec.title == "groups"]
    choices = [choice["display"] for choice in spec.choices(response.context["cl"])]
    assert [user.email for user in response.context["cl"].result_list] == [bob.email]
    assert choices == ["All", *Group.objects.order_by("name").values_list("name", flat=True)]


def test_staff_add_a_user(site):
    fields = {"email": "Carol@Example.com", "usable_password": "true", "password1": PASSWORD, "password2": PASSWORD}

    response = site.post(reverse("admin:accounts_user_add"), fields)

    assert response.status_code == 302
    assert User.objects.get(email="carol@example.com").check_password(PASSWORD)


def test_staff_cannot_add_an_email_that_is_taken(site, alice):
    fields = {"email": "ALICE@example.com", "usable_password": "true", "password1": PASSWORD, "password2": PASSWORD}

    response = site.post(reverse("admin:accounts_user_add"), fields)

    assert response.status_code == 200
    assert "Another user has this email:" in response.content.decode()
    assert User.objects.filter(email__startswith="alice").count() == 1


def test_staff_deactivate_a_user_whose_token_is_then_refused(site, alice, tokens_of, call_with):
    token = tokens_of(alice)["access_token"]

    fields = {"email": alice.email, "initial-email": alice.email, "initial-is_active": "True"}
    response = site.post(reverse("admin:accounts_user_change", args=[alice.pk]), fields)

    assert response.status_code == 302
    assert call_with(f"Bearer {token}").json()["code"] == "AUTH_USER_INACTIVE"


@pytest.mark.parametrize(("verified", "icon"), [("alice@example.com", "icon-yes"), ("", "icon-no")])
def test_page_of_a_user_shows_the_name_and_whether_the_email_is_verified(site, alice, verified, icon):
    User.objects.filter(pk=alice.pk).update(name="Alice Liddell", verified_email=verified)

    page = site.get(reverse("admin:accounts_user_change", args=[alice.pk])).content.decode()

    assert "Alice Liddell" in page
    assert re.search(r"field-email_state.*?(icon-\w+)", page, re.DOTALL)[1] == icon


def test_staff_cannot_set_a_password_of_blanks(site, alice):
    fields = {"usable_password": "true", "password1": 10 * " ", "password2": 10 * " "}

    response = site.post(reverse("admin:auth_user_password_change", args=[alice.pk]), fields)

    assert response.status_code == 200
    assert "This password has only blanks: add what can be seen." in response.content.decode()


@pytest.mark.parametrize("name", ["auth_user_password_change", "accounts_user_add"])
def test_user_without_a_password_is_not_told_of_other_ways_to_sign_in(site, alice, name):
    args = [alice.pk] if "change" in name else []

    page = site.get(reverse(f"admin:{name}", args=args)).content.decode()

    assert "Disabled: they cannot sign in, and get no mail for a forgotten password" in page
    assert "Single Sign-On" not in page


def test_last_superuser_keeps_a_password(site, owner):
    page = reverse("admin:auth_user_password_change", args=[owner.pk])

    response = site.post(page, {"usable_password": "false", "unset-password": "1"}, follow=True)

    assert "nobody who may do everything would be left" in response.content.decode()
    owner.refresh_from_db()
    assert owner.has_usable_password()


def test_staff_put_a_user_into_a_group(site, alice):
    support = Group.objects.get(name="Customer support")
    fields = {"email": alice.email, "is_active": "on", "is_staff": "on", "groups": [support.pk]}

    site.post(reverse("admin:accounts_user_change", args=[alice.pk]), fields)

    alice.refresh_from_db()
    assert (alice.is_staff, list(alice.groups.all())) == (True, [support])


@pytest.mark.parametrize(("verified", "warned"), [("", True), ("alice@example.com", False)])
def test_unverified_user_who_becomes_staff_is_warned_of(site, alice, verified, warned):
    User.objects.filter(pk=alice.pk).update(verified_email=verified)
    fields = {"email": alice.email, "is_active": "on", "is_staff": "on"}

    page = site.post(reverse("admin:accounts_user_change", args=[alice.pk]), fields, follow=True).content.decode()

    assert (html.escape(UNPROVED.format(alice.email)) in page) is warned


def test_staff_change_a_password_and_the_tokens_are_refused(site, alice, tokens_of, call_with):
    token = tokens_of(alice)["access_token"]
    fields = {"usable_password": "true", "password1": "another horse battery", "password2": "another horse battery"}

    response = site.post(reverse("admin:auth_user_password_change", args=[alice.pk]), fields)

    assert response.status_code == 302
    alice.refresh_from_db()
    assert alice.check_password("another horse battery")
    assert call_with(f"Bearer {token}").json()["code"] == "AUTH_SESSION_OVER"


def test_staff_change_their_own_password_and_stay_signed_in(site, owner):
    fields = {
        "old_password": PASSWORD,
        "new_password1": "another horse battery",
        "new_password2": "another horse battery",
    }

    response = site.post(reverse("admin:password_change"), fields)

    assert response.status_code == 302
    assert site.get(USERS).status_code == 200


@pytest.mark.parametrize("rows", [1, 3])
def test_list_of_sessions_costs_the_same_for_any_number(site, rows, django_assert_num_queries):
    for _ in range(rows):
        LoginSession.objects.begin(UserFactory())

    # The session of the site, its user, the count, the page.
    with django_assert_num_queries(4):
        response = site.get(SESSIONS)

    assert response.status_code == 200
    assert response.context["cl"].result_count == rows


def test_sessions_are_filtered_by_their_state(site, alice):
    open_session, ended = LoginSession.objects.begin(alice), LoginSession.objects.begin(alice)
    LoginSession.objects.filter(pk=ended.pk).end()

    assert list(site.get(SESSIONS, {"state": "open"}).context["cl"].result_list) == [open_session]
    assert list(site.get(SESSIONS, {"state": "over"}).context["cl"].result_list) == [ended]
    assert len(site.get(SESSIONS).context["cl"].result_list) == 2


def test_staff_end_a_session(clerk_site, alice, tokens_of, call_with):
    token, other = tokens_of(alice)["access_token"], tokens_of(alice)["access_token"]
    chosen = LoginSession.objects.earliest("pk").pk
    site = clerk_site("view_loginsession", "change_loginsession")

    response = site.post(SESSIONS, {"action": "end", "_selected_action": [chosen]}, follow=True)

    assert "Ended 1 session: their tokens are refused from now on." in response.content.decode()
    assert call_with(f"Bearer {token}").json()["code"] == "AUTH_SESSION_OVER"
    assert call_with(f"Bearer {other}").status_code == 200


def test_staff_who_may_only_look_cannot_end_a_session(clerk_site, alice):
    session = LoginSession.objects.begin(alice)
    site = clerk_site("view_loginsession")

    site.post(SESSIONS, {"action": "end", "_selected_action": [session.pk]})

    assert LoginSession.objects.going_on().get() == session


def test_sessions_are_deleted_like_all_rows_of_a_list(site, alice):
    for _ in range(2):
        LoginSession.objects.begin(alice)
    chosen = {"action": "delete_selected", "_selected_action": [LoginSession.objects.earliest("pk").pk]}

    shown = site.post(SESSIONS, chosen | {"index": "0"}, follow=True)
    response = site.post(shown.request["PATH_INFO"], {"step": "run"}, follow=True)

    assert shown.context["title"] == "Delete the selected sessions"
    assert "Deleted 1 session." in response.content.decode()
    assert LoginSession.objects.count() == 1


def test_session_cannot_be_added_or_changed(site, alice):
    session = LoginSession.objects.begin(alice)
    page = reverse("admin:accounts_loginsession_change", args=[session.pk])

    assert site.get(reverse("admin:accounts_loginsession_add")).status_code == 403
    assert site.post(page, {"user": alice.pk}).status_code == 403
    assert site.get(page).status_code == 200


def test_page_of_a_session_does_not_show_its_token(site, alice):
    session = LoginSession.objects.begin(alice)

    page = site.get(reverse("admin:accounts_loginsession_change", args=[session.pk])).content.decode()

    assert session.refresh_jti not in page


def test_staff_who_may_delete_users_are_not_held_up_by_sessions(clerk_site, alice):
    LoginSession.objects.begin(alice)
    site = clerk_site("view_user", "delete_user")

    response = site.post(reverse("admin:accounts_user_delete", args=[alice.pk]), {"post": "yes"})

    assert response.status_code == 302
    assert not User.objects.filter(pk=alice.pk).exists()


def test_action_on_many_deletes_nobody_whom_the_page_of_one_would_not(clerk_site, alice, owner):
    site = clerk_site("view_user", "delete_user")
    chosen = {"action": "delete_selected", "_selected_action": [alice.pk, owner.pk]}

    shown = site.post(USERS, chosen, follow=True)
    site.post(shown.request["PATH_INFO"], {"step": "run"})

    words = "owner@example.com, with the cart and the sessions, if there are any"
    assert (words, "You may not delete it.") in shown.context["preview"]
    assert User.objects.filter(pk=owner.pk).exists()
    assert not User.objects.filter(pk=alice.pk).exists()


def test_page_before_a_deletion_names_no_tables(site, alice):
    alice.groups.add(Group.objects.get(name="Customer support"))

    page = site.get(f"/admin/accounts/user/{alice.pk}/delete/").content.decode()

    assert "alice@example.com, with the cart and the sessions, if there are any" in page
    assert "relationship" not in page
