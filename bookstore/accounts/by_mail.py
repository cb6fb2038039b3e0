"""Actions by links in mails: set a forgotten password, verify or change an email."""

from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models.functions import Now

from bookstore.accounts import mails
from bookstore.accounts.email_changes import EmailChange
from bookstore.accounts.exceptions import EmailConflict, LinkInvalid, MailOff, PasswordWrong, StaffAccount
from bookstore.accounts.links import RESET, VERIFY, user_named_by
from bookstore.accounts.models import User
from bookstore.accounts.passwords import hash_of
from bookstore.accounts.sessions import EndReason
from bookstore.database import retrying
from bookstore.database.constraints import violated
from bookstore.mail.sending import queue


def needs_mail() -> None:
    """Raises MailOff without EMAIL_URL."""
    if not settings.SENDS_MAIL:
        raise MailOff


def ask_for_reset(email: str) -> None:
    """Queues the mail that lets a user set a new password. The same two statements whether or not somebody has this
    email, so that the time does not tell. Raises MailOff.
    """
    needs_mail()
    found = User.objects.filter(email=email, is_active=True).values_list("pk", flat=True).first()
    queue(mails.reset_password, found or 0)


@retrying
def reset_password(token: str, password: str) -> User:
    """Sets the password, once for a token, and ends all sessions. The email is verified then, too.

    Raises LinkInvalid, and ValidationError for a password that is like the email. Three queries and a transaction.
    """
    user = user_named_by(token)
    if not RESET.is_valid(token, user.reset_state):
        raise LinkInvalid
    try:
        validate_password(password, user)  # only the token says whose email the password must not be like
    except ValidationError as error:
        raise ValidationError({"new_password": error.error_list}) from error
    encoded = hash_of(password)  # before the transaction, because hashing is slow
    with transaction.atomic():
        here = User.objects.filter(pk=user.pk, password=user.password, email=user.email, is_active=True)
        if not here.update(password=encoded, verified_email=user.email):
            raise LinkInvalid
        user.sessions.end(EndReason.PASSWORD)
    user.password, user.verified_email = encoded, user.email
    return user


@retrying
def ask_for_email(user: User, email: str, password: str) -> None:
    """Queues a mail to the new address, whose link changes the email, and one that tells the old address.

    Replaces an earlier request; the current email only cancels it. Raises MailOff, PasswordWrong, EmailConflict, and
    StaffAccount for staff, because the history identifies them by their email. Six queries and a transaction.
    """
    needs_mail()
    if not user.check_password(password):
        raise PasswordWrong
    with transaction.atomic():
        held = User.objects.select_for_update(no_key=True).filter(pk=user.pk, password=user.password).first()
        if held is None:
            raise PasswordWrong  # changed meanwhile
        if held.is_staff or held.is_superuser:
            raise StaffAccount
        held.email_changes.waiting().delete()
        if held.email == email:
            return
        if User.objects.filter(email=email).exists():
            raise EmailConflict
        change = EmailChange.objects.create(
            user=held, old_email=held.email, new_email=email, credential=held.credential
        )
        queue(mails.verify_email, held.pk)
        queue(mails.email_change_asked, change.pk)


@retrying
def verify(token: str) -> None:
    """Confirms the address that the token was mailed to: the user's own, or the new one, which becomes the user's.

    Again with the same token it changes nothing. Raises LinkInvalid, and EmailConflict when somebody else has
    registered the address meanwhile. Up to five queries and a transaction.
    """
    named = user_named_by(token)
    try:
        with transaction.atomic():
            user = User.objects.select_for_update(no_key=True).filter(pk=named.pk, is_active=True).first()
            if user is None:
                raise LinkInvalid
            here = User.objects.filter(pk=user.pk)
            if VERIFY.is_valid(token, user.email):
                here.update(verified_email=user.email)
                return
            change = EmailChange.objects.waiting_of(user)
            if change is None or user.is_staff or not VERIFY.is_valid(token, change.new_email):
                raise LinkInvalid
            here.update(email=change.new_email, verified_email=change.new_email)
            EmailChange.objects.filter(pk=change.pk).update(confirmed_at=Now())
    except IntegrityError as error:
        if violated(error, "uq_users_email", "users.email") or violated(error, "uq_users_email_lower"):
            raise EmailConflict from error
        raise
