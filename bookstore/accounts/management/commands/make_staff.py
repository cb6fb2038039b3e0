"""`manage.py make_staff`: see its help."""

import sys
from getpass import getpass
from typing import Any

from django.contrib.auth.models import Group
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import IntegrityError, transaction

from bookstore.accounts.emails import MailboxValidator, normalise_email
from bookstore.accounts.models import User
from bookstore.accounts.passwords import hash_of
from bookstore.accounts.sessions import EndReason
from bookstore.audit.actor import Actor
from bookstore.audit.recording import changed, difference, record


class Command(BaseCommand):
    help = (
        "Let somebody into the admin site. A customer who has verified this email becomes staff and keeps the "
        "password. A new one is asked for (or read from standard input, when that is no terminal) for an email that "
        "nobody has, and for one that was never verified: anybody may have registered it. Groups say what they may "
        "do: name each with --group. Running it again changes nothing."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email", metavar="EMAIL")
        parser.add_argument(
            "--group",
            action="append",
            default=[],
            dest="groups",
            metavar="NAME",
            help='a group to put them into, such as "Customer support" or "Catalogue"; may be given several times',
        )

    def handle(self, *args: Any, email: str, groups: list[str], **options: Any) -> None:
        try:
            MailboxValidator()(normalise_email(email))
        except ValidationError as error:
            raise CommandError(f"{email!r} is no email address.") from error
        chosen = [find_group(name) for name in groups]
        user = User.objects.filter(email=email).first()
        if user is not None and not user.is_active:
            raise CommandError(f"{user.email} is deactivated: activate the account first, on its page in the admin.")
        is_proved = user is not None and (user.is_staff or user.email_verified)
        password = None if is_proved else self.new_password(user or User(email=email))
        made = user is None
        try:
            user = self.staff(user or User(email=email), password, chosen)
        except IntegrityError as error:
            raise CommandError(
                f"Somebody registered {email}, or deleted one of the groups, in this moment. Nothing was changed: "
                "run it again."
            ) from error
        done = "was made, and " if made else "has a new password, and " if password else ""
        self.stdout.write(f"{user.email} {done}may enter the admin site.")
        held = names(user)
        if user.is_superuser:
            self.stdout.write("A superuser: may do everything.")
        elif held:
            self.stdout.write(f"In the groups: {held}.")
        else:
            warning = f"In no group, and so without any right yet: add --group with one of {all_groups()}."
            self.stdout.write(self.style.WARNING(warning))

    def staff(self, user: User, password: str | None, groups: list[Group]) -> User:
        """Creates or changes the user, and records it, in one transaction. A new password ends the user's sessions.

        Raises IntegrityError if another process created the user meanwhile.
        """
        with transaction.atomic():
            made = user._state.adding
            was_staff, had = user.is_staff, "" if made else names(user)
            if made:
                user = User.objects.create_user(user.email, password, is_staff=True)
            else:
                secret = {"password": hash_of(password)} if password else {}
                if not User.objects.filter(pk=user.pk, email=user.email).update(is_staff=True, **secret):
                    raise CommandError(f"{user.email} was deleted in this moment. Nothing was changed.")
                if secret:
                    user.sessions.end(EndReason.PASSWORD)
            user.groups.add(*groups)
            differences = difference({"is_staff": was_staff, "groups": had}, {"is_staff": True, "groups": names(user)})
            if password and not made:
                differences["password"] = (None, None)
            if differences:
                how = " with a new account" if made else " with a new password" if password else ""
                summary = f"Let {user.email} into this site{how}."
                record(Actor.of_command("make_staff"), summary, [changed(user, differences)])
        return user

    def new_password(self, user: User) -> str:
        """Reads the password: typed twice, or the first line of standard input. Raises CommandError if it is too
        weak."""
        if sys.stdin.isatty():
            password = getpass(f"Password for {user.email}: ")
            if password != getpass("The same again: "):
                raise CommandError("The two passwords differ. Nothing was changed.")
        else:
            password = sys.stdin.readline().rstrip("\r\n")
        if not password and user._state.adding:
            raise CommandError(f"Nobody has the email {user.email}, so the account needs a password. None was given.")
        if not password:
            raise CommandError(
                f"{user.email} was registered in the shop, and never verified: whoever did may be somebody else, and "
                "knows the password. The account needs a new one. None was given."
            )
        try:
            validate_password(password, user)
        except ValidationError as error:
            raise CommandError(f"The password is too weak. {' '.join(error.messages)}") from error
        return password


def names(user: User) -> str:
    return ", ".join(user.groups.order_by("name").values_list("name", flat=True))


def find_group(name: str) -> Group:
    """Finds a group by name, ignoring case. Raises CommandError with the existing names."""
    group = Group.objects.filter(name__iexact=name).first()
    if group is None:
        raise CommandError(f"There is no group {name!r}. There are: {all_groups()}.")
    return group


def all_groups() -> str:
    names = Group.objects.order_by("name").values_list("name", flat=True)
    return ", ".join(f'"{name}"' for name in names) or "none (the admin's page of groups makes them)"
