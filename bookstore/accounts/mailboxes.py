"""Bounds the mails that customers cause to an address that nobody has verified: it may be somebody else's mailbox.

Registering, deleting the account and registering again sends a mail each time, and so does ordering and cancelling.
"""

import logging
from typing import Any

from django.db.models.functions import Now

from bookstore.accounts.models import User
from bookstore.accounts.throttling import count, key_of, rate_of
from bookstore.accounts.windows import ThrottleWindow
from bookstore.mail.sending import send

logger = logging.getLogger("bookstore.accounts")


def send_to_customer(user: User, to: str, template: str, context: dict[str, Any]) -> None:
    """As `send`, but sends nothing to an address that `user` has not verified when MAIL_THROTTLE_RATE mails went there.

    Counts mails that were sent, so that attempts while the mail server is away use up nothing. Two queries more, for an
    unverified address.
    """
    rate = rate_of("mail")
    if rate is None or to == user.verified_email:
        send(to, template, context)
        return
    limit, seconds = rate
    mailbox = key_of("mailbox", "account", to)
    if ThrottleWindow.objects.filter(pk=mailbox, expires_at__gt=Now(), count__gte=limit).exists():
        logger.warning("Mail %s was not sent: its address is not verified, and has had %s in %s s", template, *rate)
        return
    send(to, template, context)
    count(mailbox, limit, seconds)
