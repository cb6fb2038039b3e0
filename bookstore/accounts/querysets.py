"""The QuerySet and the manager of users. Registering and signing in begin a session."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from django.contrib.auth import get_user_model
from django.contrib.auth.base_user import BaseUserManager
from django.db import IntegrityError, models, transaction
from django.db.models.functions import Now

from bookstore.accounts.exceptions import EmailConflict, InvalidCredentials, LastSuperuser, SessionOver, UserInactive
from bookstore.accounts.hashers import NOBODYS_PASSWORD
from bookstore.accounts.sessions import LoginSession
from bookstore.accounts.sign_in_time import same_time_for_all
from bookstore.database import retrying
from bookstore.database.constraints import violated
from bookstore.database.locks import DeletesUnderLock, lock
from bookstore.mail.sending import queue

if TYPE_CHECKING:
    from bookstore.accounts.claims import Claims
    from bookstore.accounts.models import User

# Attempts of a sign-in: it starts again when the hash was renewed, or the password changed, meanwhile.
ATTEMPTS = 3


class UserQuerySet(DeletesUnderLock, models.QuerySet["User"]):
    def with_signed_in(self, claims: Claims) -> UserQuerySet:
        """Adds `signed_in`: whether this token's session belongs to the user and is good."""
        session = LoginSession.objects.good().of(claims).filter(user=models.OuterRef("pk"))
        return self.annotate(signed_in=models.Exists(session))

    def superusers(self) -> UserQuerySet:
        return self.filter(is_superuser=True, is_active=True)

    def update(self, **fields: Any) -> int:
        """As Django's. Writing `is_active` ends all sessions and admin cookies of the user for good.

        Raises LastSuperuser when no active superuser would be left.
        """
        if "is_active" in fields:
            fields.setdefault("signed_out_at", Now())
        if fields.keys() & {"is_active", "is_superuser"}:
            with a_superuser_stays():
                return super().update(**fields)
        return super().update(**fields)

    update.alters_data = True  # type: ignore[attr-defined]  # Django's mark for templates

    def delete(self) -> tuple[int, dict[str, int]]:
        """As Django's. Raises LastSuperuser when no active superuser would be left."""
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
        user: Any = self.with_signed_in(claims).filter(pk=claims.user_id).first()
        if user is None or not user.is_active:
            raise UserInactive
        if not user.signed_in:
            raise SessionOver
        caller: User = user
        return caller


@contextmanager
def a_superuser_stays() -> Iterator[None]:
    """Wraps a change of users: rolls it back and raises LastSuperuser when no active superuser is left.

    Locks the active superusers in id order, so that two who deactivate each other cannot both succeed. Two queries.
    """
    users = get_user_model().objects
    with transaction.atomic():
        lock(users.superusers())
        had = users.superusers().exists()
        yield
        if had and not users.superusers().exists():
            raise LastSuperuser
