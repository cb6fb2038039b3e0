"""Normalising and validating passwords. hashers.py has the hash."""

import gzip
from unicodedata import normalize

from django.contrib.auth.hashers import make_password, verify_password
from django.contrib.auth.password_validation import CommonPasswordValidator
from django.core.exceptions import ValidationError

from bookstore.api.text import can_be_seen

MIN_PASSWORD_LENGTH, MAX_PASSWORD_LENGTH = 8, 128  # characters


def hash_of(raw: str | None) -> str:
    """Hashes the NFC form, because keyboards type ü in two forms. None gives a hash that no password matches."""
    return make_password(raw if raw is None else normalize("NFC", raw))


def verify(raw: str | None, encoded: str) -> tuple[bool, bool]:
    """Whether the password matches, and whether it should be rehashed.

    Hashes from before the normalisation are of the unnormalised password.
    """
    if raw is None:
        return verify_password(raw, encoded)
    composed = normalize("NFC", raw)
    known, outdated = verify_password(composed, encoded)
    if not known and composed != raw:
        known, outdated = verify_password(raw, encoded)[0], True
    return known, outdated


class UsablePassword:
    """A password validator of Django: at most MAX_PASSWORD_LENGTH characters, no NUL or lone surrogate, some not blank.

    Blanks beside something else count as any other character.
    """

    def validate(self, password: str, user: object = None) -> None:
        if len(password) > MAX_PASSWORD_LENGTH:
            raise ValidationError(
                "This password is too long. It must contain at most %(max)d characters.",
                code="password_too_long",
                params={"max": MAX_PASSWORD_LENGTH},
            )
        if "\0" in password or any("\ud800" <= letter <= "\udfff" for letter in password):
            raise ValidationError("This password has a character that nobody can type.", code="password_unusable")
        if not can_be_seen(password):
            raise ValidationError("This password has only blanks: add what can be seen.", code="password_unseen")

    def get_help_text(self) -> str:
        return f"Your password must contain at most {MAX_PASSWORD_LENGTH} characters."


class CommonPassword(CommonPasswordValidator):
    """Django's, with its list of 20,000 as one text of 160 KB: as a set of strings it takes 2 MB of each worker.

    A look-up reads the text, which takes 0.1 ms, a hundredth of what the hash takes.
    """

    def __init__(self) -> None:
        with gzip.open(self.DEFAULT_PASSWORD_LIST_PATH, "rt", encoding="utf-8") as file:
            self.passwords = Lines(file.read().strip())  # type: ignore[assignment]  # Django only asks with `in`


class Lines:
    """The lines of a text, for `in`."""

    def __init__(self, text: str) -> None:
        self.text = f"\n{text}\n"

    def __contains__(self, line: str) -> bool:
        return "\n" not in line and f"\n{line}\n" in self.text
