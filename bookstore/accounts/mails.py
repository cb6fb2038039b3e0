"""The mails about an account. Each reads the account when it is sent, and is skipped if it is no longer needed.

Tokens are created here, so that none is stored, and their lifetime begins when the mail is sent.
"""

from typing import Any

from django.conf import settings
from django.urls import reverse

from bookstore.accounts.email_changes import EmailChange
from bookstore.accounts.links import RESET, VERIFY
from bookstore.accounts.mailboxes import send_to_customer
from bookstore.accounts.models import User
from bookstore.mail.sending import mail, send
from bookstore.mail.storefront import storefront_link


def facts(**more: Any) -> dict[str, Any]:
    """The variables of every template."""
    return {
        "storefront": settings.STOREFRONT_URL,
        "minutes": settings.RESET_MINUTES,
        "hours": settings.VERIFY_HOURS,
        **more,
    }


@mail
def reset_password(user_id: int) -> None:
    """To a user who forgot the password. Sends nothing for 0, which is queued for an unknown email."""
    user = User.objects.filter(pk=user_id, is_active=True).first()
    if user is not None and user.has_usable_password():
        token = RESET.token(user.pk, user.reset_state)
        send(user.email, "accounts/reset_password", facts(link=storefront_link("reset", token=token)))


@mail
def reset_staff_password(user_id: int, site: str) -> None:
    """To a member of staff, with a link to the staff's site at `site` (`https://shop.example`)."""
    user = User.objects.filter(pk=user_id, is_active=True, is_staff=True).first()
    if user is not None and user.has_usable_password():
        token = RESET.token(user.pk, user.reset_state)
        link = site + reverse("admin_password_reset_confirm", args=[token])
        send(user.email, "accounts/reset_password", facts(link=link))


@mail
def verify_email(user_id: int) -> None:
    """To the address that the user has to confirm: the new one of a change, or the one of the account."""
    user = User.objects.filter(pk=user_id, is_active=True).first()
    if user is None:
        return
    change = EmailChange.objects.waiting_of(user)
    address = change.new_email if change else user.email
    if change or not user.email_verified:
        link = storefront_link("verify", token=VERIFY.token(user.pk, address))
        send_to_customer(user, address, "accounts/verify_email", facts(link=link, is_change=bool(change)))


@mail
def email_change_asked(change_id: int) -> None:
    """To the old address of a change of email. Names the new one only if the old one was verified: it is a text of the
    customer's choice, and whoever registered with somebody else's email could write to them by it.
    """
    change = EmailChange.objects.select_related("user").filter(pk=change_id, user__is_active=True).first()
    if change is not None:
        proven = change.user.verified_email == change.old_email
        send_to_customer(
            change.user,
            change.old_email,
            "accounts/email_change",
            facts(new_email=change.new_email if proven else "another email"),
        )
