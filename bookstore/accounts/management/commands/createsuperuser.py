"""`manage.py createsuperuser`: Django's, also recorded in the history."""

from typing import Any

from django.contrib.auth.management.commands import createsuperuser

from bookstore.accounts.models import User
from bookstore.audit.actor import Actor
from bookstore.audit.recording import added, record


class Command(createsuperuser.Command):
    def handle(self, *args: Any, **options: Any) -> None:
        superusers = User.objects.filter(is_superuser=True)
        there = set(superusers.values_list("pk", flat=True))
        super().handle(*args, **options)  # no transaction around it: it asks, and waits for answers
        for user in superusers.exclude(pk__in=there):
            record(Actor.of_command("createsuperuser"), f"Made the superuser “{user.email}”.", [added(user)])
