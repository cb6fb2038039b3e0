"""`manage.py changepassword`: Django's, also recorded in the history."""

import getpass
from typing import Any

from django.contrib.auth.management.commands import changepassword
from django.core.management.base import CommandError

from bookstore.accounts.models import User
from bookstore.audit.actor import Actor
from bookstore.audit.recording import changed, record


class Command(changepassword.Command):
    def handle(self, *args: Any, **options: Any) -> str | None:
        try:
            done = super().handle(*args, **options)  # no transaction around it: it asks, and waits for answers
        except EOFError as error:  # Ctrl-D, or a standard input that ends before the second password
            raise CommandError("No password was given. Nothing was changed.") from error
        user = User.objects.get(email=options["username"] or getpass.getuser())
        change = changed(user, {"password": (None, None)})
        record(Actor.of_command("changepassword"), f"Set the password of “{user.email}”.", [change])
        return done
