"""Sessions: one row for each sign-in, named by its tokens. docs/decisions/0003-sessions.md has the reasons.

A sign-in calls `begin()`, `refresh()` extends a session, `end()` ends it. Tokens are valid only while `good()` finds
their session.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import models, transaction
from django.db.models.functions import Coalesce, Now, Right
from django.utils import timezone

from bookstore.accounts.exceptions import RefreshInvalid, TokenReuse
from bookstore.database import retrying
from bookstore.database.locks import lock

if TYPE_CHECKING:
    from bookstore.accounts.claims import Claims
    from bookstore.accounts.models import User

# Characters: 132 bits of an Argon2 hash, without its salt, so that they allow no guessing of passwords.
CREDENTIAL_LENGTH = 22
MAX_DEVICE_LENGTH = 200  # characters of a User-Agent


class EndReason(models.TextChoices):
    """Why a session ended before its expiry."""

    SIGNED_OUT = "signed_out", "signed out"
    REUSE = "reuse", "refresh token used again"
    STAFF = "staff", "ended by staff"
    ELSEWHERE = "elsewhere", "signed out from another session"
    PASSWORD = "password", "password changed"


def new_identity() -> str:
    """128 random bits in hexadecimal: for a session, and for each of its refresh tokens."""
    return uuid4().hex


def end_of_session() -> Any:
    return timezone.now() + settings.SIMPLE_JWT["REFRESH_TOKEN_LIFETIME"]


class LoginSessionQuerySet(models.QuerySet["LoginSession"]):
    def expired(self) -> LoginSessionQuerySet:
        """Sessions all of whose tokens have expired."""
        return self.filter(expires_at__lte=Now())

    def good(self) -> LoginSessionQuerySet:
        """Not ended, of an active user who has not changed the password or been signed out since it began.

        Expiry is not checked: tokens carry their own.
        """
        return self.filter(
            models.Q(user__signed_out_at=None) | models.Q(created_at__gt=models.F("user__signed_out_at")),
            ended_at=None,
            user__is_active=True,
            credential=Right("user__password", CREDENTIAL_LENGTH),
        )

    def going_on(self) -> LoginSessionQuerySet:
        return self.good().filter(expires_at__gt=Now())

    def over(self) -> LoginSessionQuerySet:
        """The complement of `going_on()`."""
        return self.filter(
            models.Q(ended_at__isnull=False)
            | models.Q(expires_at__lte=Now())
            | models.Q(user__is_active=False)
            | models.Q(created_at__lte=models.F("user__signed_out_at"))
            | ~models.Q(credential=Right("user__password", CREDENTIAL_LENGTH))
        )

    def named_by(self, value: Callable[[str], Any]) -> LoginSessionQuerySet:
        """The session of a token; `value("session_id")` is one of `Claims.values()`, or a placeholder for it.

        By id and identity: ids are reused after a restore of the database, identities are not.
        """
        return self.filter(pk=value("session_id"), user_id=value("user_id"), identity=value("identity"))

    def of(self, claims: Claims) -> LoginSessionQuerySet:
        """The session of a token, if the row still exists."""
        return self.named_by(claims.values().__getitem__)

    def begin(self, user: User, *, device: str = "", address: str = "") -> LoginSession:
        """Creates a session; call it after the password was checked. One query."""
        return self.create(
            user=user,
            credential=user.credential,
            identity=new_identity(),
            refresh_jti=new_identity(),
            expires_at=end_of_session(),
            device=device[:MAX_DEVICE_LENGTH],
            address=address,
        )

    @retrying
    def refresh(self, claims: Claims) -> LoginSession:
        """Rotates the refresh token of a session and returns the session.

        For REFRESH_GRACE_SECONDS the previous token gets the same successor again: a client may have lost the answer,
        or two tabs may refresh at once. After that, or with an older token, reuse ends the session: one of the two
        clients may be a thief.

        Raises RefreshInvalid when the session is over, the password has changed, or the user was deleted or
        deactivated; TokenReuse when the token was used before. Three queries and a transaction: the user is locked, so
        that neither the password nor the session changes meanwhile.
        """
        with transaction.atomic():
            lock(get_user_model()._base_manager.filter(pk=claims.user_id), no_key=True)
            named = self.of(claims).select_related("user").with_grace()
            session: LoginSession | None = named.good().first()
            if session is None:
                if named.filter(end_reason=EndReason.REUSE).exclude(refresh_jti=claims.jti).exists():
                    raise TokenReuse  # the same answer as at the first reuse
                raise RefreshInvalid
            if session.refresh_jti == claims.jti:
                session.rotate()
                return session
            in_grace: bool = session.in_grace  # type: ignore[attr-defined]  # with_grace() adds it
            if in_grace and session.previous_jti == claims.jti:
                return session
            self.filter(pk=session.pk).end(EndReason.REUSE)
        raise TokenReuse

    def with_last_use(self) -> LoginSessionQuerySet:
        """Adds `last_used_at`: the last refresh, or the sign-in."""
        return self.annotate(last_used_at=Coalesce("rotated_at", "created_at"))

    def with_grace(self) -> LoginSessionQuerySet:
        """Adds `in_grace`: whether the good refresh token is younger than REFRESH_GRACE_SECONDS."""
        since = Now() - timedelta(seconds=settings.REFRESH_GRACE_SECONDS)
        young = models.Q(rotated_at__isnull=False, rotated_at__gt=since)
        return self.annotate(in_grace=models.ExpressionWrapper(young, output_field=models.BooleanField()))

    def end(self, reason: EndReason = EndReason.SIGNED_OUT) -> int:
        """Ends the sessions that go on, which invalidates their tokens. Returns how many. One query."""
        return self.filter(ended_at=None).update(ended_at=Now(), end_reason=reason)


class LoginSession(models.Model):
    """One sign-in. Exactly one refresh token of it is good, `refresh_jti`.

    In PostgreSQL the foreign key `fk_login_sessions_user_id` deletes the session with its user.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="sessions")
    # "" for sessions (and their tokens) from before identities existed.
    identity = models.CharField(max_length=32, db_default="", editable=False)
    refresh_jti = models.CharField(max_length=32, editable=False)
    # The token that refresh_jti replaced, and when.
    previous_jti = models.CharField(max_length=32, db_default="", editable=False)
    rotated_at = models.DateTimeField("last refreshed", null=True, editable=False)
    # The end of the password's hash when the session began: every change of the password ends the session.
    credential = models.CharField(max_length=CREDENTIAL_LENGTH, editable=False)
    created_at = models.DateTimeField("signed in", db_default=Now(), editable=False)
    expires_at = models.DateTimeField("expires", editable=False)
    ended_at = models.DateTimeField("ended", null=True, editable=False)
    end_reason = models.CharField("why", max_length=16, choices=EndReason.choices, db_default="", editable=False)
    device = models.CharField(max_length=MAX_DEVICE_LENGTH, db_default="", editable=False)
    address = models.CharField(max_length=64, db_default="", editable=False)

    objects = LoginSessionQuerySet.as_manager()

    class Meta:
        db_table = "login_sessions"
        verbose_name = "session"
        indexes = (models.Index(fields=["expires_at"], name="ix_login_sessions_expires_at"),)

    def __str__(self) -> str:
        return f"Session of {self.user}"

    def rotate(self) -> None:
        """Replaces the good refresh token by a new one. One query; the caller has locked the user.

        The guarded UPDATE is safe also without the lock. Raises RefreshInvalid when the session has ended or was
        deleted.
        """
        successor = {"refresh_jti": new_identity(), "previous_jti": self.refresh_jti, "expires_at": end_of_session()}
        here = LoginSession.objects.filter(pk=self.pk, refresh_jti=self.refresh_jti, ended_at=None)
        if not here.update(**successor, rotated_at=Now()):
            raise RefreshInvalid
        for name, value in successor.items():
            setattr(self, name, value)
