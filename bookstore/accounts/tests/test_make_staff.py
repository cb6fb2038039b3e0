"""`manage.py make_staff`."""

import io

import pytest
from django.contrib.auth.models import Group
from django.core.management import CommandError, call_command

from bookstore.accounts.management.commands.make_staff import Command
from bookstore.accounts.models import LoginSession, User
from bookstore.accounts.sessions import EndReason
from bookstore.accounts.tests.factories import PASSWORD, StaffFactory, SuperuserFactory, UserFactory
from tests.support.racing import answer_beside

pytestmark = pytest.mark.django_db


@pytest.fixture
def make_staff(monkeypatch):
    """A function: what the command prints, with `typed` as its standard input."""

    def run(*arguments, typed=""):
        out = io.StringIO()
        monkeypatch.setattr("sys.stdin", io.StringIO(typed))
        call_command("make_staff", *arguments, stdout=out, no_color=True)
        return out.getvalue()

    return run


def all_groups():
    """As the command names them: each app declares its own."""
    return ", ".join(f'"{name}"' for name in Group.objects.order_by("name").values_list("name", flat=True))


def test_verified_customer_becomes_staff_and_keeps_the_password(make_staff):
    alice = UserFactory(email="alice@example.com", verified_email="alice@example.com")

    told = make_staff("ALICE@example.com", "--group", "catalogue")

    alice.refresh_from_db()
    assert told == "alice@example.com may enter the admin site.\nIn the groups: Catalogue.\n"
    assert (alice.is_staff, alice.is_superuser, alice.check_password(PASSWORD)) == (True, False, True)
    assert alice.has_perm("catalog.change_book")


def test_unverified_customer_becomes_staff_with_a_new_password(make_staff):
    """Mallory has registered the email of somebody who will work here, and knows the old password."""
    alice = UserFactory(email="alice@example.com")
    session = LoginSession.objects.begin(alice)

    told = make_staff("alice@example.com", "--group", "Catalogue", typed="nine old horses\n")

    alice.refresh_from_db()
    assert told == ("alice@example.com has a new password, and may enter the admin site.\nIn the groups: Catalogue.\n")
    assert (alice.is_staff, alice.check_password(PASSWORD), alice.check_password("nine old horses")) == (
        True,
        False,
        True,
    )
    session.refresh_from_db()
    assert (session.end_reason, LoginSession.objects.good().exists()) == (EndReason.PASSWORD, False)


def test_unverified_customer_is_not_made_staff_without_a_new_password(make_staff):
    alice = UserFactory(email="alice@example.com")

    with pytest.raises(CommandError, match=r"^alice@example\.com was registered in the shop, and never verified: "):
        make_staff("alice@example.com", "--group", "Catalogue")

    alice.refresh_from_db()
    assert (alice.is_staff, alice.check_password(PASSWORD)) == (False, True)


def test_account_is_made_with_the_password_that_is_read(make_staff):
    told = make_staff(
        "carol@example.com", "--group", "Catalogue", "--group", "Customer support", typed="nine old horses\n"
    )

    carol = User.objects.get(email="carol@example.com")
    assert told == (
        "carol@example.com was made, and may enter the admin site.\nIn the groups: Catalogue, Customer support.\n"
    )
    assert carol.is_staff
    assert carol.check_password("nine old horses")


def test_running_it_again_changes_nothing(make_staff):
    make_staff("carol@example.com", "--group", "Catalogue", typed="nine old horses\n")

    told = make_staff("carol@example.com", "--group", "Catalogue")

    assert told == "carol@example.com may enter the admin site.\nIn the groups: Catalogue.\n"
    assert User.objects.get().groups.count() == 1


def test_staff_without_a_group_is_told_of(make_staff):
    StaffFactory(email="alice@example.com")

    told = make_staff("alice@example.com")

    assert f"without any right yet: add --group with one of {all_groups()}." in told


def test_superuser_needs_no_group(make_staff):
    SuperuserFactory(email="olga@example.com")

    assert "A superuser: may do everything." in make_staff("olga@example.com")


@pytest.mark.parametrize(
    ("arguments", "typed", "reason"),
    [
        (["nobody"], "", "'nobody' is no email address."),
        (
            ["carol@example.com", "--group", "Cellar"],
            "nine old horses\n",
            "There is no group 'Cellar'. There are: {groups}.",
        ),
        (["carol@example.com"], "", "Nobody has the email carol@example.com, so the account needs a password."),
        (["carol@example.com"], "12345678\n", "The password is too weak."),
        (["frank@example.com"], "", "frank@example.com is deactivated"),
    ],
)
def test_what_cannot_be_done_is_refused_and_nothing_is_made(make_staff, arguments, typed, reason):
    UserFactory(email="frank@example.com", is_active=False)

    with pytest.raises(CommandError) as refusal:
        make_staff(*arguments, typed=typed)

    assert reason.format(groups=all_groups()) in str(refusal.value)
    assert list(User.objects.values_list("email", "is_staff")) == [("frank@example.com", False)]


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_user_who_is_being_deleted_is_not_made_staff(make_staff):
    alice = UserFactory(email="alice@example.com", verified_email="alice@example.com")

    def refused():
        with pytest.raises(CommandError) as refusal:
            make_staff("alice@example.com")
        return str(refusal.value)

    assert answer_beside(alice.delete, refused) == "alice@example.com was deleted in this moment. Nothing was changed."
    assert not User.objects.exists()


def test_email_that_somebody_registers_in_this_moment_is_told(make_staff, monkeypatch):
    def while_somebody_registers(self, user):
        UserFactory(email=user.email)
        return PASSWORD

    monkeypatch.setattr(Command, "new_password", while_somebody_registers)

    with pytest.raises(CommandError, match=r"Somebody registered carol@example\.com, or deleted one of the groups"):
        make_staff("carol@example.com")

    assert not User.objects.get().is_staff
