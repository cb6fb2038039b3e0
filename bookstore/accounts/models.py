"""Who may call: the User, who signs in by email; the sessions that signing in begins; the counts of attempts.

`User.objects.register()` and `.sign_in()` begin a session, `LoginSession.objects.refresh()` keeps it going and
`.end()` ends it. Their tokens are made and read in tokens.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar
from uuid import uuid4

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.hashers import check_password, make_password
from django.contrib.auth.models import PermissionsMixin
from django.db import IntegrityError, models, transaction
from django.db.models.functions import Lower, Now, Right
from django.utils import timezone

from bookstore.accounts.emails import MAX_EMAIL_LENGTH, NormalisedEmailField, normalise_email
from bookstore.accounts.exceptions import (
    EmailConflict,
    InvalidCredentials,
    RefreshInvalid,
    TokenInvalid,
    TokenReuse,
    UserInactive,
)
from bookstore.accounts.hashers import NOBODYS_PASSWORD
from bookstore.database.constraints import violated
from bookstore.database.locks import DeletedUnderLock, DeletesUnderLock

if TYPE_CHECKING:
    from bookstore.accounts.tokens import Claims

# Characters: 132 bits of an Argon2 hash. Without the salt, which they leave out, nobody can try passwords against them.
CREDENTIAL_LENGTH = 22


class UserQuerySet(DeletesUnderLock, models.QuerySet["User"]):
    def with_signed_in(self, session_id: int) -> UserQuerySet:
        """Adds `signed_in`: whether this session is the user's, and good."""
        session = LoginSession.objects.good().filter(pk=session_id, user=models.OuterRef("pk"))
        return self.annotate(signed_in=models.Exists(session))


class UserManager(BaseUserManager["User"].from_queryset(UserQuerySet)):  # type: ignore[misc]
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> User:
        """A customer, saved. Without a password nobody can sign in as this user.

        Raises IntegrityError when the email is taken, in whatever case. One query.
        """
        user = User(email=email, **fields)
        user.set_password(password)
        user.save(using=self._db, force_insert=True)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> User:
        """A member of staff who holds every permission; `manage.py createsuperuser` asks for one."""
        return self.create_user(email, password, **(fields | {"is_staff": True, "is_superuser": True}))

    def register(self, email: str, password: str) -> LoginSession:
        """A new customer, signed in at once: both or neither.

        Raises EmailConflict when somebody has that email, in whatever case. Two queries and a transaction.
        """
        user = User(email=email)
        user.set_password(password)  # before the transaction: it takes its time
        try:
            with transaction.atomic():
                user.save(force_insert=True)
                return LoginSession.objects.begin(user)
        except IntegrityError as error:
            if violated(error, "uq_users_email", "users.email") or violated(error, "uq_users_email_lower"):
                raise EmailConflict from error
            raise

    def sign_in(self, email: str, password: str) -> LoginSession:
        """Begins a session.

        Raises InvalidCredentials, after the same time, for an unknown email, a wrong password and a deactivated user.
        Two queries, one when refused.
        """
        user = self.filter(email=email).first()
        known = (user or User(password=NOBODYS_PASSWORD)).check_password(password)
        if user is None or not known or not user.is_active:
            raise InvalidCredentials
        try:
            return LoginSession.objects.begin(user)
        except IntegrityError as error:
            if self.filter(pk=user.pk).exists():
                raise
            raise InvalidCredentials from error  # deleted meanwhile

    def calling(self, claims: Claims) -> User:
        """Whose access token this is, if it still counts: asked on every request, in one query.

        Raises UserInactive when the user was deleted or deactivated, and TokenInvalid when the session is over or the
        password is another one now.
        """
        user: Any = self.with_signed_in(claims.session_id).filter(pk=claims.user_id).first()
        if user is None or not user.is_active:
            raise UserInactive
        if not user.signed_in:
            raise TokenInvalid
        caller: User = user
        return caller


class User(DeletedUnderLock, AbstractBaseUser, PermissionsMixin):
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
        # The first cannot find the beginning of an email where the database sorts by a language; staff search so.
        indexes = (models.Index(fields=["email"], opclasses=["varchar_pattern_ops"], name="ix_users_email_prefix"),)

    def __str__(self) -> str:
        return self.email

    @classmethod
    def normalize_username(cls, username: str) -> str:
        """Django's hook: `createsuperuser` and the forms of the admin call it."""
        return normalise_email(username)

    def check_password(self, raw_password: str | None) -> bool:
        """Also renews a hash whose parameters are no longer today's: one query then, else none.

        The UPDATE is guarded: it neither undoes a change of the password nor fails when the user was deleted meanwhile.
        """

        def renew(raw: str) -> None:
            old, self.password = self.password, make_password(raw)
            User.objects.filter(pk=self.pk, password=old).update(password=self.password)

        return check_password(raw_password, self.password, renew)

    @property
    def credential(self) -> str:
        """The end of the password's hash: another password, or the same one hashed anew, has another."""
        return self.password[-CREDENTIAL_LENGTH:]

    def end_sessions(self) -> int:
        """Signs the user out everywhere, and says from how many sessions. Two queries and a transaction.

        The user is locked first: two of these at once would else wait for each other, and a sign-in could slip between.
        """
        with transaction.atomic():
            User.objects.select_for_update().filter(pk=self.pk).values_list("pk").first()
            return self.sessions.end()


def new_identity() -> str:
    return uuid4().hex


def end_of_session() -> Any:
    return timezone.now() + settings.SIMPLE_JWT["REFRESH_TOKEN_LIFETIME"]


class LoginSessionQuerySet(models.QuerySet["LoginSession"]):
    def expired(self) -> LoginSessionQuerySet:
        """No token of theirs can be used any more, whatever they say."""
        return self.filter(expires_at__lte=Now())

    def good(self) -> LoginSessionQuerySet:
        """Not ended, of an active user, whose password is still the one that the session began with."""
        return self.filter(ended_at=None, user__is_active=True, credential=Right("user__password", CREDENTIAL_LENGTH))

    def going_on(self) -> LoginSessionQuerySet:
        return self.filter(ended_at=None, expires_at__gt=Now())

    def over(self) -> LoginSessionQuerySet:
        return self.filter(models.Q(ended_at__isnull=False) | models.Q(expires_at__lte=Now()))

    def of(self, claims: Claims) -> LoginSessionQuerySet:
        """The one that a token belongs to, if it is still there."""
        return self.filter(pk=claims.session_id, user_id=claims.user_id)

    def begin(self, user: User) -> LoginSession:
        """A session of somebody who has just proved who they are. One query."""
        return self.create(
            user=user, credential=user.credential, refresh_jti=new_identity(), expires_at=end_of_session()
        )

    def refresh(self, claims: Claims) -> LoginSession:
        """The session of this refresh token, with a new one in its place.

        Raises RefreshInvalid when the session is over, the password is another one now, or the user was deleted or
        deactivated; and TokenReuse when the token was used before, after which every session of the user is over:
        whoever comes with it may have stolen it, or whoever came first. Two queries; of several at once exactly one
        wins.
        """
        session = self.of(claims).select_related("user").first()
        if session is None or not session.user.is_active or session.credential != session.user.credential:
            raise RefreshInvalid
        if session.rotate(claims.jti):
            return session
        if self.filter(pk=session.pk).exclude(refresh_jti=claims.jti).exists():
            session.user.end_sessions()
            raise TokenReuse
        raise RefreshInvalid

    def end(self) -> int:
        """Ends those that go on, and says how many: their refresh and access tokens count no longer. One query."""
        return self.filter(ended_at=None).update(ended_at=Now())


class LoginSession(models.Model):
    """From a sign-in to its end: by logout, by reuse of a refresh token, by staff, or by time.

    Exactly one refresh token of a session is good, `refresh_jti`. In PostgreSQL the foreign key
    `fk_login_sessions_user_id` deletes the session with its user.
    """

    user = models.ForeignKey(User, models.CASCADE, related_name="sessions")
    refresh_jti = models.CharField(max_length=32, editable=False)
    # What the password's hash ended with when the session began: whatever path changes the password ends the session.
    credential = models.CharField(max_length=CREDENTIAL_LENGTH, editable=False)
    created_at = models.DateTimeField("signed in", db_default=Now(), editable=False)
    expires_at = models.DateTimeField("expires", editable=False)
    ended_at = models.DateTimeField("ended", null=True, editable=False)

    objects = LoginSessionQuerySet.as_manager()

    class Meta:
        db_table = "login_sessions"
        verbose_name = "session"
        indexes = (models.Index(fields=["expires_at"], name="ix_login_sessions_expires_at"),)

    def __str__(self) -> str:
        return f"Session of {self.user}"

    def rotate(self, jti: str) -> bool:
        """Puts a new refresh token in the place of `jti`, unless that is not the good one or the session is over.

        One guarded UPDATE decides, so that one of several at once wins.
        """
        successor = {"refresh_jti": new_identity(), "expires_at": end_of_session()}
        won = LoginSession.objects.filter(pk=self.pk, refresh_jti=jti, ended_at=None).update(**successor)
        if won:
            self.refresh_jti, self.expires_at = successor["refresh_jti"], successor["expires_at"]
        return bool(won)


class ThrottleWindowQuerySet(models.QuerySet["ThrottleWindow"]):
    def expired(self) -> ThrottleWindowQuerySet:
        return self.filter(expires_at__lte=Now())

    def with_time_left(self) -> ThrottleWindowQuerySet:
        """Adds `left`, a timedelta by the database's clock, the one that all hosts share."""
        left = models.ExpressionWrapper(models.F("expires_at") - Now(), output_field=models.DurationField())
        return self.annotate(left=left)


class ThrottleWindow(models.Model):
    """How many attempts of one kind one address, or one account, has made: throttling.py counts here."""

    # An HMAC of whom is counted: no address and no email is kept.
    key = models.CharField(max_length=64, primary_key=True)
    count = models.PositiveIntegerField()
    expires_at = models.DateTimeField()

    objects = ThrottleWindowQuerySet.as_manager()

    class Meta:
        db_table = "throttle_windows"
        default_permissions = ()  # nobody looks at them in the admin

    def __str__(self) -> str:
        return f"{self.count} attempts until {self.expires_at:%H:%M:%S}"
