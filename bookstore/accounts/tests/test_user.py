"""Rules of users for every writer: the API, the admin, the shell, or SQL."""

from datetime import UTC, datetime
from unicodedata import normalize

import pytest
from django.contrib.auth.hashers import PBKDF2PasswordHasher, check_password, make_password
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction

from bookstore.accounts.exceptions import InvalidCredentials
from bookstore.accounts.models import LoginSession, ThrottleWindow, User
from bookstore.accounts.passwords import hash_of
from bookstore.accounts.tests.factories import PASSWORD, UserFactory

pytestmark = pytest.mark.django_db


class OneRoundHasher(PBKDF2PasswordHasher):
    """Another algorithm than that of the tests, as cheap as theirs."""

    iterations = 1


# A hash of the tests' own is not of these parameters: the next sign-in renews it.
RENEWING = [f"{__name__}.OneRoundHasher", "django.contrib.auth.hashers.MD5PasswordHasher"]


def test_create_user_keeps_the_email_in_its_normal_form():
    user = User.objects.create_user("Alice@Example.COM", PASSWORD)

    assert user.email == "alice@example.com"
    assert User.objects.values_list("email", flat=True).get() == "alice@example.com"
    assert user.check_password(PASSWORD)
    assert (user.is_staff, user.is_superuser, user.is_active) == (False, False, True)
    assert user.date_joined is not None


def test_create_superuser_makes_staff_who_may_do_everything():
    user = User.objects.create_superuser("Owner@example.com", PASSWORD)

    assert (user.email, user.is_staff, user.is_superuser) == ("owner@example.com", True, True)


def test_create_user_without_a_password_lets_nobody_sign_in():
    user = User.objects.create_user("alice@example.com")

    assert not user.has_usable_password()


def test_createsuperuser_command_makes_one(monkeypatch):
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", PASSWORD)

    call_command("createsuperuser", "--noinput", email="Owner@Example.com", verbosity=0)

    assert User.objects.get(email="owner@example.com").check_password(PASSWORD)


def test_save_normalises_an_email_that_was_set():
    alice = UserFactory(email="alice@example.com")

    alice.email = "Alice.Liddell@Example.com"
    alice.save()

    assert alice.email == "alice.liddell@example.com"
    assert User.objects.get().email == "alice.liddell@example.com"


def test_queryset_update_and_bulk_create_normalise():
    User.objects.bulk_create([User(email="Alice@Example.com"), User(email="BOB@example.com")])

    User.objects.filter(email="bob@EXAMPLE.com").update(email="Robert@Example.com")

    assert set(User.objects.values_list("email", flat=True)) == {"alice@example.com", "robert@example.com"}


def test_get_by_natural_key_finds_in_any_case():
    alice = UserFactory(email="alice@example.com")

    assert User.objects.get_by_natural_key("ALICE@example.com") == alice


@pytest.mark.parametrize("taken", ["alice@example.com", "ALICE@example.com", "Alice@Example.Com"])
def test_database_refuses_a_second_user_of_an_email_in_any_case(taken):
    UserFactory(email="alice@example.com")
    bob = UserFactory(email="bob@example.com")

    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE users SET email = %s WHERE id = %s", [taken, bob.pk])


def test_full_clean_says_that_an_email_is_taken():
    UserFactory(email="alice@example.com")

    with pytest.raises(ValidationError) as raised:
        User(email="ALICE@example.com", password="!").full_clean()

    assert "This email is registered already." in raised.value.messages


def test_sign_in_renews_a_hash_whose_parameters_are_old(settings):
    alice = UserFactory(email="alice@example.com")
    settings.PASSWORD_HASHERS = RENEWING

    session = User.objects.sign_in("alice@example.com", PASSWORD)

    alice.refresh_from_db()
    assert alice.password.startswith("pbkdf2_sha256$")
    assert session.credential == alice.credential


def test_renewing_a_hash_does_not_undo_a_change_of_the_password(settings):
    read_before = UserFactory(email="alice@example.com")
    alice = User.objects.get()
    alice.set_password("another horse battery")
    alice.save()
    settings.PASSWORD_HASHERS = RENEWING

    assert not read_before.check_password(PASSWORD)

    alice.refresh_from_db()
    assert alice.check_password("another horse battery")
    assert not alice.check_password(PASSWORD)


def test_saved_password_is_handed_to_validators_once(alice, monkeypatch):
    """As Django does: a validator may keep a history."""
    told = []
    monkeypatch.setattr(
        "django.contrib.auth.password_validation.password_changed", lambda password, user: told.append(password)
    )

    alice.set_password("another horse battery")
    alice.save()
    alice.save()

    assert told == ["another horse battery"]


def test_sign_in_that_renews_a_hash_keeps_the_other_sessions(settings):
    alice = UserFactory(email="alice@example.com")
    elsewhere = LoginSession.objects.begin(alice)
    settings.PASSWORD_HASHERS = RENEWING

    session = User.objects.sign_in("alice@example.com", PASSWORD)

    assert set(LoginSession.objects.going_on()) == {elsewhere, session}


def test_sign_in_whose_hash_another_sign_in_has_renewed_is_good(settings, monkeypatch):
    UserFactory(email="alice@example.com")
    settings.PASSWORD_HASHERS = RENEWING
    renew, others = User.renew_hash, []

    def renewed_by_another_first(user, raw):
        if not others:
            others.append(None)
            others.append(User.objects.sign_in("alice@example.com", PASSWORD))
        return renew(user, raw)

    monkeypatch.setattr(User, "renew_hash", renewed_by_another_first)

    session = User.objects.sign_in("alice@example.com", PASSWORD)

    assert set(LoginSession.objects.going_on()) == {others[1], session}


def test_sign_in_while_the_password_changes_is_refused(monkeypatch):
    alice = UserFactory(email="alice@example.com")
    look = User.check_password

    def changed_after_the_look(user, raw):
        known = look(user, raw)
        User.objects.filter(pk=alice.pk).update(password=hash_of("another horse battery"))
        return known

    monkeypatch.setattr(User, "check_password", changed_after_the_look)

    with pytest.raises(InvalidCredentials):
        User.objects.sign_in("alice@example.com", PASSWORD)
    assert not LoginSession.objects.exists()


@pytest.mark.parametrize("typed", [normalize("NFC", "bücherwurm im café"), normalize("NFD", "bücherwurm im café")])
def test_password_is_the_same_however_its_accents_are_typed(typed):
    UserFactory(email="alice@example.com", password=normalize("NFD", "bücherwurm im café"))

    assert User.objects.sign_in("alice@example.com", typed)


def test_password_with_decomposed_accents_is_known_and_rehashed():
    typed = normalize("NFD", "bücherwurm im café")
    alice = UserFactory(email="alice@example.com")
    User.objects.update(password=make_password(typed))

    User.objects.sign_in("alice@example.com", typed)

    alice.refresh_from_db()
    assert check_password(normalize("NFC", typed), alice.password)


def test_end_sessions_ends_all_of_this_user_and_no_other():
    alice, bob = UserFactory(), UserFactory()
    for user in (alice, alice, bob):
        LoginSession.objects.begin(user)

    ended = alice.end_sessions()

    assert ended == 2
    assert list(LoginSession.objects.going_on().values_list("user", flat=True)) == [bob.pk]


def test_deleting_a_user_deletes_the_sessions():
    alice = UserFactory()
    LoginSession.objects.begin(alice)

    alice.delete()

    assert not LoginSession.objects.exists()


@pytest.mark.postgres
def test_deleting_a_user_by_sql_deletes_the_sessions():
    alice = UserFactory()
    LoginSession.objects.begin(alice)

    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM users WHERE id = %s", [alice.pk])

    assert not LoginSession.objects.exists()


@pytest.mark.parametrize("verb", [User.objects.register, User.objects.sign_in], ids=["register", "sign_in"])
def test_violation_that_no_customer_can_cause_stays_a_bug(verb, monkeypatch):
    email = "alice@example.com"
    if verb == User.objects.sign_in:
        UserFactory(email=email)

    def broken(self, user, **client):
        raise IntegrityError("a constraint that no customer can break")

    monkeypatch.setattr(type(LoginSession.objects.all()), "begin", broken)
    monkeypatch.setattr(type(LoginSession.objects), "begin", broken)

    with pytest.raises(IntegrityError, match="no customer can break"):
        verb(email, PASSWORD)


def test_a_count_of_attempts_says_how_many_and_until_when():
    until = datetime(2026, 3, 31, 12, 30, tzinfo=UTC)

    assert str(ThrottleWindow(key="a" * 64, count=3, expires_at=until)) == "3 attempts until 12:30:00"
