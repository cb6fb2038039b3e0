"""The QuerySet and the manager of users. Registering and signing in begin a session."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from django.contrib.auth import get_user_model
from django.contrib.auth.base_user import BaseUserManager
from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX as NO_PASSWORD
from django.contrib.auth.hashers import is_password_usable
from django.db import DEFAULT_DB_ALIAS, IntegrityError, models, transaction
from django.db.models.functions import Now

from bookstore.accounts.exceptions import EmailConflict, InvalidCredentials, LastSuperuser, SessionOver, UserInactive
from bookstore.accounts.hashers import NOBODYS_PASSWORD
from bookstore.accounts.sessions import LoginSession
from bookstore.accounts.sign_in_time import same_time_for_all
from bookstore.database import retrying
from bookstore.database.constraints import violated
from bookstore.database.locks import DeletesUnderLock, lock
from bookstore.fastpath.compiled import Prepared
from bookstore.mail.sending import queue

if TYPE_CHECKING:
    from bookstore.accounts.claims import Claims
    from bookstore.accounts.models import User

MAKE_SUPERUSERS = frozenset({"is_active", "is_superuser", "is_staff"})  # that `superusers` asks for, beside a password
# Attempts of a sign-in: it starts again when the hash was renewed, or the password changed, meanwhile.
ATTEMPTS = 3


class UserQuerySet(DeletesUnderLock, models.QuerySet["User"]):
    def named_by(self, value: Callable[[str], Any]) -> UserQuerySet:
        """The user of a token, with `signed_in`: whether the token's session belongs to the user and is good. `value`
        is that of `LoginSessionQuerySet.named_by`."""
        session = LoginSession.objects.good().named_by(value).filter(user=models.OuterRef("pk"))
        return self.filter(pk=value("user_id")).annotate(signed_in=models.Exists(session))

    def superusers(self) -> UserQuerySet:
        """Those who can use their permissions: active, let into the admin, and with a password."""
        able = self.filter(is_superuser=True, is_active=True, is_staff=True)
        return able.exclude(password__startswith=NO_PASSWORD)

    def lock_superusers_first(self) -> None:
        """Locks all superusers, in id order, if one of these users is one. Use before a lock of these users.

        Two who hold each other's row would deadlock in `a_superuser_stays`. Two queries.
        """
        if self.superusers().exists():
            lock(get_user_model().objects.superusers())

    def update(self, **fields: Any) -> int:
        """As Django's. Writing `is_active` ends all sessions and admin cookies of the user for good.

        Raises LastSuperuser when none of `superusers` would be left.
        """
        if "is_active" in fields:
            fields.setdefault("signed_out_at", Now())
        if fields.keys() & MAKE_SUPERUSERS or not is_password_usable(fields.get("password", "")):
            with a_superuser_stays():
                return super().update(**fields)
        return super().update(**fields)

    update.alters_data = True  # type: ignore[attr-defined]  # Django's mark for templates

    def delete(self) -> tuple[int, dict[str, int]]:
        """As Django's. Raises LastSuperuser when none of `superusers` would be left."""
        if not self.filter(is_superuser=True).exists():
            return super().delete()
        with a_superuser_stays():
            return super().delete()

    delete.alters_data = True  # type: ignore[attr-defined]  # Django's mark for templates
    delete.queryset_only = True  # type: ignore[attr-defined]  # Django's mark for managers


class UserManager(BaseUserManager["User"].from_queryset(UserQuerySet)):  # type: ignore[misc]  # a class made at run time
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> User:
        """Saves a customer. Without a password this user cannot sign in.

        Raises IntegrityError when the email is taken, in whatever case. One query.
        """
        user: User = self.model(email=email, **fields)
        user.set_password(password)
        user.save(using=self._db, force_insert=True)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> User:
        """Saves a member of staff with every permission. `manage.py createsuperuser` calls it."""
        return self.create_user(email, password, **(fields | {"is_staff": True, "is_superuser": True}))

    @retrying
    def register(self, email: str, password: str, **client: str) -> LoginSession:
        """A new customer, signed in at once, and a mail that verifies the email: all or nothing. `client` is what
        `LoginSession.objects.begin` takes.

        Raises EmailConflict when the email is registered, in whatever case. Three queries and a transaction.
        """
        from bookstore.accounts import mails  # it imports User

        user: User = self.model(email=email)
        user.set_password(password)  # before the transaction, because hashing is slow
        try:
            with transaction.atomic():
                user.save(force_insert=True)
                queue(mails.verify_email, user.pk)
                return LoginSession.objects.begin(user, **client)
        except IntegrityError as error:
            if violated(error, "uq_users_email", "users.email") or violated(error, "uq_users_email_lower"):
                raise EmailConflict from error
            raise

    @retrying
    def sign_in(self, email: str, password: str, **client: str) -> LoginSession:
        """Begins a session.

        Raises InvalidCredentials, after the same time, for an unknown email, a wrong password and a deactivated user.
        Three queries and a transaction; one query when refused.
        """
        with same_time_for_all(InvalidCredentials, self.model.hash_of_another_kind):
            for _ in range(ATTEMPTS):
                user = self.filter(email=email).first()
                known = (user or self.model(password=NOBODYS_PASSWORD)).check_password(password)
                if user is None or not known or not user.is_active:
                    raise InvalidCredentials
                with transaction.atomic():
                    # Locked, so that neither the password nor is_active changes before the session is inserted.
                    held = self.select_for_update(no_key=True).filter(pk=user.pk)
                    if held.values_list("password", "is_active").first() == (user.password, True):
                        return LoginSession.objects.begin(user, **client)
            raise InvalidCredentials

    def calling(self, claims: Claims) -> User:
        """The user of an access token, checked on every request. One query.

        Raises UserInactive when the user was deleted or deactivated, and SessionOver when the session has ended or the
        password has changed.
        """
        rows = CALLING.rows(**claims.values())
        if not rows:
            raise UserInactive
        *values, signed_in = rows[0]
        user: User = self.model.from_db(DEFAULT_DB_ALIAS, columns_of(self.model), values)
        if not user.is_active:
            raise UserInactive
        if not signed_in:
            raise SessionOver
        return user


def columns_of(model: type[models.Model]) -> list[str]:
    return [field.attname for field in model._meta.concrete_fields]


def calling(value: Callable[[str], Any]) -> models.QuerySet[User, Any]:
    users = get_user_model()._default_manager.named_by(value)
    rows: models.QuerySet[User, Any] = users.values_list(*columns_of(users.model), "signed_in")
    return rows


# Compiled once, because every request with a token asks it.
CALLING = Prepared(calling)


@contextmanager
def a_superuser_stays() -> Iterator[None]:
    """Wraps a change of users: rolls it back and raises LastSuperuser when none of `superusers` is left.

    Locks them in id order, so that two who deactivate each other cannot both succeed. Two queries.
    """
    users = get_user_model().objects
    with transaction.atomic():
        lock(users.superusers())
        had = users.superusers().exists()
        yield
        if had and not users.superusers().exists():
            raise LastSuperuser
