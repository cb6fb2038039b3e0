"""Plays the scenario on the plain variant, in a process of its own: Django knows one settings module in each."""

import json
import os
from typing import Any

import django


def main() -> None:
    from django.contrib.auth.models import User
    from django.core.management import call_command
    from django.test import Client
    from rest_framework_simplejwt.tokens import AccessToken

    from proofs.benchmarks.plain.models import Book
    from proofs.benchmarks.tests.scenario import BOOKS, id_of, play

    call_command("migrate", verbosity=0)
    ids = {name: Book.objects.create(id=id_of(name), **facts).pk for name, facts in BOOKS.items()}
    clients: dict[str, Any] = {"nobody": Client()}
    for name in ("alice", "bob"):
        token = AccessToken.for_user(User.objects.create(username=name))
        clients[name] = Client(headers={"Authorization": f"Bearer {token}"})
    print(json.dumps(play(clients, ids)))


if __name__ == "__main__":
    os.environ["DJANGO_SETTINGS_MODULE"] = "proofs.benchmarks.plain.settings"
    django.setup()
    main()
