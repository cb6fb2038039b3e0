"""Tokens of the links in mails: signed, nothing of them in the database.

A token names a user, and is valid for one state of that user: what it was made for changes the state, or leaves it.
"""

import re
from typing import NamedTuple

from django.conf import settings
from django.core.signing import BadSignature, TimestampSigner

from bookstore.accounts.exceptions import LinkInvalid
from bookstore.accounts.models import User

MAX_TOKEN_LENGTH = 200  # characters; ours have about 60
USER_ID = re.compile(r"[1-9][0-9]{0,17}", re.ASCII)


class Purpose(NamedTuple):
    name: str
    setting: str  # the setting with its lifetime
    unit: int  # seconds

    def signer(self, state: str) -> TimestampSigner:
        return TimestampSigner(sep=".", salt=f"bookstore.accounts.links {self.name} {state}")

    def token(self, user_id: int, state: str) -> str:
        """For the `state` that the token is valid for."""
        return self.signer(state).sign(str(user_id))

    def is_valid(self, token: str, state: str) -> bool:
        try:
            self.signer(state).unsign(token, max_age=getattr(settings, self.setting) * self.unit)
        except BadSignature:
            return False
        return True


# Sets a password. State: the hash of the old one and the email, so that a token works once.
RESET = Purpose("reset", "RESET_MINUTES", 60)
# Proves that its bearer reads the mails of an address. State: that address, so that a second click does no harm.
VERIFY = Purpose("verify", "VERIFY_HOURS", 3600)


def user_named_by(token: str) -> User:
    """The active user of a token, which is not checked yet. One query. Raises LinkInvalid."""
    user_id = token.partition(".")[0]
    user: User | None = None
    if USER_ID.fullmatch(user_id):
        user = User.objects.filter(pk=int(user_id), is_active=True).first()
    if user is None:
        raise LinkInvalid
    return user
