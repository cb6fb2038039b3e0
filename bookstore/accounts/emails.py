"""Two emails are the same account if `normalise_email` returns the same for both."""

import re
from typing import Any
from unicodedata import normalize

from django.core.exceptions import ValidationError
from django.core.validators import EmailValidator
from django.db import models

# RFC 5321: a path of 256 octets, less its two angle brackets.
MAX_EMAIL_LENGTH = 254
# A quoted name, an encoded word (RFC 2047), or an IP address as the domain.
UNUSUAL = re.compile(r'"|=\?|\[')


def normalise_email(email: str) -> str:
    """The normalised email, as it is stored. Strips blanks, which phones add.

    NFKC, because `ſ` and the Kelvin sign pass for letters of ASCII wherever case is ignored; once more after lower(),
    which can undo it. An international domain is kept as mail is sent there, `xn--…`: browsers write it so, and apps
    do not.
    """
    spelled = normalize("NFKC", normalize("NFKC", email).lower()).strip()
    name, at, domain = spelled.rpartition("@")
    return f"{name}{at}{ascii_domain(domain)}" if at and not domain.isascii() else spelled


def ascii_domain(domain: str) -> str:
    """By UTS 46 without its transitional rules, as browsers do: `straße.de` is not `strasse.de`.

    Returns a domain that IDNA does not allow unchanged: mail cannot reach it.
    """
    if len(domain) > MAX_EMAIL_LENGTH:  # encoding takes more than linear time
        return domain
    import idna  # here: tables of 0.2 MB, for domains that are not ASCII

    try:
        return idna.encode(domain, uts46=True, transitional=False).decode("ascii")
    except (idna.IDNAError, UnicodeError):
        return domain


class MailboxValidator(EmailValidator):
    """As Django's, for a normalised email, without forms that no mail provider gives.

    Mail libraries decode encoded words, so a mail to `=?utf-8?q?bob?=@example.com` reaches bob@example.com, and would
    verify another email than it was sent to. They also drop zero-width joiners of a domain that IDNA does not allow, so
    only ASCII passes: `normalise_email` has made it of every domain that is allowed. Quoted names may have control
    characters and commas. `localhost` and addresses in brackets are hosts of the shop's own network.
    """

    domain_allowlist = ()

    def __call__(self, value: str | None) -> None:
        if not (value or "").isascii() or UNUSUAL.search(value or ""):
            raise ValidationError(self.message, code=self.code)
        super().__call__(value)


class NormalisedEmailField(models.EmailField):
    """Normalises values on saving and in look-ups, on every path through the ORM.

    A form, `full_clean()` and `manage.py createsuperuser` take the same emails as the API.
    """

    default_validators = [MailboxValidator()]

    def to_python(self, value: Any) -> Any:
        value = super().to_python(value)
        return normalise_email(value) if isinstance(value, str) else value

    def get_prep_value(self, value: Any) -> Any:
        value = super().get_prep_value(value)
        return normalise_email(value) if isinstance(value, str) else value

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        """Also sets the normalised value on the instance."""
        value = self.to_python(super().pre_save(model_instance, add))
        setattr(model_instance, self.attname, value)
        return value
