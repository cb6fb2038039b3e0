"""Who may call: the User, who signs in by email, and the sessions that signing in begins."""

from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models
from django.db.models.functions import Lower, Now

from bookstore.accounts.emails import MAX_EMAIL_LENGTH, NormalisedEmailField, normalise_email


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """A customer, saved. Without a password nobody can sign in as this user.

        Raises IntegrityError when the email is taken, in whatever case. One query.
        """
        user = self.model(email=email, **fields)
        user.set_password(password)
        user.save(using=self._db, force_insert=True)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """A member of staff who holds every permission; `manage.py createsuperuser` asks for one."""
        return self.create_user(email, password, **(fields | {"is_staff": True, "is_superuser": True}))


class User(AbstractBaseUser, PermissionsMixin):
    """Signs in by email: kept in its normal form, and unique without regard to case whoever writes it."""

    email = NormalisedEmailField("email", max_length=MAX_EMAIL_LENGTH)
    is_staff = models.BooleanField("staff", default=False, help_text="May enter the admin site.")
    is_active = models.BooleanField(
        "active", default=True, help_text="Off: can neither sign in nor use a token; better than deleting the user."
    )
    date_joined = models.DateTimeField("joined", db_default=Now(), editable=False)

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    objects = UserManager()

    class Meta:
        db_table = "users"
        verbose_name = "user"
        constraints = (
            # The first serves the look-up by the normal form; the second holds against writers that know none.
            models.UniqueConstraint(
                fields=["email"], name="uq_users_email", violation_error_message="This email is registered already."
            ),
            models.UniqueConstraint(
                Lower("email"), name="uq_users_email_lower", violation_error_message="This email is registered already."
            ),
        )

    def __str__(self) -> str:
        return self.email

    @classmethod
    def normalize_username(cls, username: str) -> str:
        """Django's hook: `createsuperuser` and the forms of the admin call it."""
        return normalise_email(username)
