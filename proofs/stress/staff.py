"""`python -m proofs.stress.staff SECONDS`: what staff do to many books and customers at once, beside a proof.

A process of its own, begun in the tree that is proved, so that a build that is broken on purpose is broken here, too.
It does what the admin's actions do, and what an import does, and prints as JSON how often, and what went wrong.
"""

import json
import os
import random
import sys
import threading
import time
from collections import Counter
from decimal import Decimal
from typing import Any

THREADS = 3
AT_ONCE = 40  # books
AT_LEAST = 50  # books that are left to sell
VISITORS = "visitor"  # customers to be deleted: their emails begin so


class Staff:
    def __init__(self, seed: int, user: Any) -> None:
        from django.contrib import admin
        from django.test import RequestFactory

        from catalog.models import Book

        self.chance = random.Random(seed)
        self.request: Any = RequestFactory().post("/admin/catalog/book/")
        self.request.user = user
        self.admin: Any = admin.site._registry[Book]
        self.done: Counter[str] = Counter()
        self.errors: list[str] = []

    def some(self, count: int) -> Any:
        """A QuerySet of some books, as the admin makes it of the boxes that were ticked."""
        from catalog.models import Book

        keys = list(Book.objects.values_list("pk", flat=True))
        return self.admin.get_queryset(self.request).filter(pk__in=self.chance.sample(keys, min(count, len(keys))))

    def change_many(self) -> None:
        """Sets the stock of many, as shown by a preview just before."""
        from django.db import transaction

        from bookstore.admin.models import BulkAction

        shown = self.some(AT_ONCE).values_list("pk", "stock_quantity")
        rows = [[pk, {"stock_quantity": str(stock)}] for pk, stock in shown]
        action = BulkAction(rows=rows, parameters={"stock": self.chance.randint(1, 9)}, skipped=[])
        with transaction.atomic():
            self.admin.run_batch(self.request, self.admin.verb_named("set_stock"), action)

    def load(self) -> None:
        from catalog.importing.loader import Loader
        from catalog.importing.rows import Row

        price = Decimal(f"{self.chance.randint(1, 99)}.50")
        rows = [
            Row({"title": book.title, "author": book.author, "price": price})
            for book in self.some(AT_ONCE).order_by("?")
        ]
        with Loader(update=True) as loader:
            loader.load(list(enumerate(rows)))

    def delete_several(self) -> None:
        from catalog.models import Book

        if Book.objects.count() > AT_LEAST:
            self.admin.delete_queryset(self.request, self.some(5))

    def delete_customers(self) -> None:
        from bookstore.accounts.models import User

        gone = list(User.objects.filter(email__startswith=VISITORS).order_by("?").values_list("pk", flat=True)[:2])
        User.objects.filter(pk__in=gone).delete()

    def work(self, until: float) -> None:
        from django.db import DatabaseError, connection

        kinds = [self.change_many, self.load, self.change_many, self.delete_several, self.delete_customers]
        while time.monotonic() < until:
            kind = self.chance.choice(kinds)
            try:
                kind()
                self.done[kind.__name__] += 1
            except DatabaseError as error:
                self.errors.append(f"{kind.__name__}: {type(error).__name__} {str(error).splitlines()[0]}")
        connection.close()


def main() -> None:
    import django

    os.environ["DJANGO_SETTINGS_MODULE"] = "bookstore.settings"
    django.setup()
    from django.contrib import admin

    from bookstore.accounts.models import User
    from catalog.models import Book

    admin.autodiscover()
    admin.site._registry[Book].message_user = lambda *args: None  # type: ignore[method-assign]  # the request is made up, and keeps no messages
    user = User.objects.filter(is_superuser=True).latest("pk")
    team = [Staff(seed, user) for seed in range(THREADS)]
    until = time.monotonic() + float(sys.argv[1])
    threads = [threading.Thread(target=staff.work, args=(until,)) for staff in team]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    done = sum((staff.done for staff in team), Counter[str]())
    print(json.dumps({"done": done, "errors": [error for staff in team for error in staff.errors]}))


if __name__ == "__main__":
    main()
