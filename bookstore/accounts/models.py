"""The User, who signs in by email; `User.objects` is in querysets.py.

Sessions are in sessions.py, tokens in tokens.py, the throttle's counters in windows.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, ClassVar

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX as NO_PASSWORD
from django.contrib.auth.models import PermissionsMixin
from django.db import models, transaction
from django.db.models.functions import Lower, Now
from django.utils.crypto import salted_hmac

from bookstore.accounts.email_changes import EmailChange
from bookstore.accounts.emails import MAX_EMAIL_LENGTH, NormalisedEmailField, normalise_email
from bookstore.accounts.exceptions import EmailUnverified, LastSuperuser, PasswordWrong
from bookstore.accounts.groups import StaffGroupGrant
from bookstore.accounts.hashers import CURRENT_HASH
from bookstore.accounts.passwords import hash_of, verify
from bookstore.accounts.querysets import MAKE_SUPERUSERS, UserManager, a_superuser_stays
from bookstore.accounts.sessions import CREDENTIAL_LENGTH, EndReason, LoginSession, LoginSessionQuerySet
from bookstore.accounts.windows import ThrottleWindow
from bookstore.database import retrying
from bookstore.database.locks import DeletedUnderLock

__all__ = ["EmailChange", "LoginSession", "LoginSessionQuerySet", "StaffGroupGrant", "ThrottleWindow", "User"]

MAX_NAME_LENGTH = 150  # characters


def credential_of(encoded: str) -> str:
    """The end of a password's hash. It changes whenever the password is hashed again."""
    return encoded[-CREDENTIAL_LENGTH:]


class User(DeletedUnderLock, AbstractBaseUser, PermissionsMixin):
    """Signs in by email, which is stored normalised and is unique without regard to case, for every writer."""

    email = NormalisedEmailField("email", max_length=MAX_EMAIL_LENGTH)
    # The email that its owner has proved to read. Whoever writes another one into `email` leaves that one unverified.
    verified_email = NormalisedEmailField(
        max_length=MAX_EMAIL_LENGTH, db_default="", default="", blank=True, editable=False
    )
    name = models.CharField(max_length=MAX_NAME_LENGTH, db_default="", default="", blank=True, editable=False)
    is_staff = models.BooleanField("staff", default=False, help_text="May enter the admin site.")
    is_active = models.BooleanField(
        "active", default=True, help_text="Off: can neither sign in nor use a token; better than deleting the user."
    )
    date_joined = models.DateTimeField("joined", db_default=Now(), editable=False)
    # Ends all sessions and admin cookies that began before. Set whenever is_active is written.
    signed_out_at = models.DateTimeField(null=True, editable=False)

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    objects = UserManager()

    class Meta:
        db_table = "users"
        verbose_name = "user"
        constraints = (
            # The first has the index for look-ups; the second also holds for writers that do not normalise.
            models.UniqueConstraint(
                fields=["email"], name="uq_users_email", violation_error_message="This email is registered already."
            ),
            models.UniqueConstraint(
                Lower("email"), name="uq_users_email_lower", violation_error_message="This email is registered already."
            ),
        )
        indexes = (
            # For the staff's search by prefix: the indexes of the constraints support it only with the C collation.
            models.Index(fields=["email"], opclasses=["varchar_pattern_ops"], name="ix_users_email_prefix"),
            # Partial, nearly empty: users whose hash has outdated parameters (`hash_of_another_kind`).
            models.Index(
                fields=["id"],
                condition=~models.Q(password__startswith=CURRENT_HASH) & ~models.Q(password__startswith=NO_PASSWORD),
                name="ix_users_other_hash",
            ),
        )

    def __str__(self) -> str:
        return self.email

    @classmethod
    def normalize_username(cls, username: str) -> str:
        """Django's hook: `createsuperuser` and the forms of the admin call it."""
        return normalise_email(username)

    @staticmethod
    def hash_of_another_kind(kinds: Iterable[str]) -> str | None:
        """A hash that begins with none of these, and has outdated parameters. One query, by a nearly empty index."""
        others = User.objects.exclude(password__startswith=CURRENT_HASH).exclude(password__startswith=NO_PASSWORD)
        for kind in kinds:
            others = others.exclude(password__startswith=kind)
        found: str | None = others.values_list("password", flat=True).first()
        return found

    def save(self, *args: Any, update_fields: Any = None, **options: Any) -> None:
        """As Django's. Writing `is_active` ends all sessions and admin cookies of the user for good.

        Raises LastSuperuser when none of `superusers` would be left. One query more for a user who is none of them,
        four if the database still has one.
        """
        if self._state.adding:
            super().save(*args, update_fields=update_fields, **options)
            return
        written = set(update_fields) if update_fields is not None else None
        # A save() without update_fields writes is_active, too: of an active user that changes nothing.
        signs_out = not self.is_active if written is None else "is_active" in written
        if signs_out:
            self.signed_out_at = Now()
            written = written and written | {"signed_out_at"}
        may_take = written is None or bool(written & {*MAKE_SUPERUSERS, "password"})
        stays = self.is_active and self.is_superuser and self.is_staff and self.has_usable_password()
        if may_take and not stays and self.is_superuser_in_database():
            with a_superuser_stays():
                super().save(*args, update_fields=written, **options)
        else:
            super().save(*args, update_fields=written, **options)
        if signs_out:
            self.refresh_from_db(fields=["signed_out_at"])

    def is_superuser_in_database(self) -> bool:
        found: bool = User.objects.superusers().filter(pk=self.pk).exists()
        return found

    def delete(self, *args: Any, **options: Any) -> tuple[int, dict[str, int]]:
        """As Django's. Raises LastSuperuser when none of `superusers` would be left."""
        if not self.is_superuser_in_database():
            return super().delete(*args, **options)
        key = self.pk
        try:
            with a_superuser_stays():
                return super().delete(*args, **options)
        except LastSuperuser:
            self.pk = key  # Django's delete() set it to None
            raise

    delete.alters_data = True  # type: ignore[attr-defined]  # Django's mark for templates

    def set_password(self, raw_password: str | None) -> None:
        self.password = hash_of(raw_password)
        self._password = raw_password  # as Django's: save() passes it to validators that keep a history

    def check_password(self, raw_password: str | None) -> bool:
        """Also renews a hash with outdated parameters: three queries and a transaction then, else none.

        False when the password was changed meanwhile.
        """
        known, outdated = verify(raw_password, self.password)
        if known and outdated and not self._state.adding and not self.renew_hash(raw_password):
            # A concurrent write changed the hash: of this password, or of a new one.
            self.password = User.objects.filter(pk=self.pk).values_list("password", flat=True).first() or ""
            known, _ = verify(raw_password, self.password)
        return known

    @retrying
    def change_password(self, old: str, new: str, *, session_id: int) -> None:
        """Sets a new password, and ends all sessions but this one.

        Raises PasswordWrong when `old` is not the password, also when it was changed meanwhile. Four queries and a
        transaction.
        """
        if not self.check_password(old):
            raise PasswordWrong
        encoded = hash_of(new)
        with transaction.atomic():
            if not User.objects.filter(pk=self.pk, password=self.password).update(password=encoded):
                raise PasswordWrong
            here = self.sessions.filter(pk=session_id)
            here.update(credential=credential_of(encoded))
            self.sessions.exclude(pk=session_id).end(EndReason.PASSWORD)
        self.password = encoded

    @retrying
    def renew_hash(self, raw_password: str | None) -> bool:
        """Hashes the password with today's parameters; keeps the sessions. False when the hash changed meanwhile."""
        old, new = self.password, hash_of(raw_password)
        with transaction.atomic():
            if not User.objects.filter(pk=self.pk, password=old).update(password=new):
                return False
            self.sessions.filter(credential=credential_of(old)).update(credential=credential_of(new))
        self.password = new
        return True

    def get_session_auth_hash(self) -> str:
        """Django's hook: an admin cookie is valid while this equals its value at sign-in."""
        return self.cookie_hash(settings.SECRET_KEY)

    def get_session_auth_fallback_hash(self) -> Iterator[str]:
        for secret in settings.SECRET_KEY_FALLBACKS:
            yield self.cookie_hash(secret)

    def cookie_hash(self, secret: str) -> str:
        """As Django's, but it also covers `signed_out_at`, so that an older cookie never becomes valid again."""
        salt = "django.contrib.auth.models.AbstractBaseUser.get_session_auth_hash"
        since = self.signed_out_at.isoformat() if self.signed_out_at else ""
        return salted_hmac(salt, self.password + since, secret=secret, algorithm="sha256").hexdigest()

    @property
    def email_verified(self) -> bool:
        return self.email == self.verified_email != ""

    def require_verified(self) -> None:
        """Call it before what only verified customers may do.

        Raises EmailUnverified when REQUIRE_VERIFIED_EMAIL is 1 and the email is not verified.
        """
        if settings.REQUIRE_VERIFIED_EMAIL and not self.email_verified:
            raise EmailUnverified

    @property
    def reset_state(self) -> str:
        """What a token that resets the password is valid for: it changes with the password and with the email."""
        return f"{self.password} {self.email}"

    @property
    def credential(self) -> str:
        return credential_of(self.password)

    @retrying
    def end_sessions(self, *, but: int = 0) -> int:
        """Ends all sessions of the user except `but`. Returns how many.

        Two queries and a transaction. The user is locked first: otherwise two of these at once could deadlock, and a
        sign-in could begin a session in between.
        """
        with transaction.atomic():
            User.objects.select_for_update().filter(pk=self.pk).values_list("pk").first()
            return self.sessions.exclude(pk=but).end(EndReason.ELSEWHERE)
