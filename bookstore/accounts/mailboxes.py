"""Bounds the mails that customers cause to an address that nobody has verified: it may be somebody else's mailbox.

Registering, deleting the account and registering again sends a mail each time, and so does ordering and cancelling.
"""

import logging
from typing import Any

from bookstore.accounts.models import User
from bookstore.accounts.throttling import count, key_of, rate_of, uncount
from bookstore.mail.sending import send

logger = logging.getLogger("bookstore.accounts")


def send_to_customer(user: User, to: str, template: str, context: dict[str, Any]) -> None:
    """As `send`, but sends nothing to an address that `user` has not verified when MAIL_THROTTLE_RATE mails went there.

    A mail that the server did not take is not counted. One or two queries more, for an unverified address.
    """
    rate = rate_of("mail")
    if rate is None or to == user.verified_email:
        send(to, template, context)
        return
    mailbox = key_of("mailbox", "account", to)
    if count(mailbox, *rate):
        logger.warning("Mail %s was not sent: its address is not verified, and has had %s in %s s", template, *rate)
        return
    try:
        send(to, template, context)
    except Exception:
        uncount(mailbox)
        raise
