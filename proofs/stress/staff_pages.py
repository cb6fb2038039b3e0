"""Hostile GETs and POSTs to every page of the staff's site, as each group: no 5xx, no JSON.

The requests go through the whole application in this process, without a socket: some hundreds a second.
"""

import random
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import quote, urlencode

from proofs.stress.stage import Stage

SEED = 20261127
SIGN_IN_EVERY = 50  # requests
SHOWN = 10  # failures that are printed
TEXTS = (
    *("", "emma", "alice@", "978-0-14-143958-7", "0", "-1", "1", "2", "99999999999999999999", "1e309", "NaN", "٣", "²"),
    *("\0", "\ud83d\ude00", "é", "ハス", "%", "_", "\\", "'", '"', ";", "(", "[", "*"),
    *("a b" * 200, "x" * 5000, "9" * 5000),
    *(" ".join(f"w{number}" for number in range(400)), "2026-13-45", "on", "true", "None", "null", "{}", "[1]"),
    *("../../etc/passwd", "<script>", "=1+1", "a:b", "catalog.book:1", "catalog.book:x", "a\r\nb"),
)
# What lists, filters, pages and forms of the site read; and some that nothing reads.
PARAMETERS = (
    *("q", "p", "o", "e", "all", "_facets", "_popup", "_to_field", "_changelist_filters", "in_stock", "on_sale"),
    *("has_isbn", "has_cover", "genre__id__exact", "genre__isnull", "activity", "book", "problem", "content", "state"),
    *("is_staff__exact", "groups__id__exact", "kind", "by", "object", "term", "app_label", "model_name", "field_name"),
    *("price__gt", "user__password__startswith", "id__in", "on", "ask", "line", "nothing"),
)
FIELDS = (
    *(
        "action",
        "select_across",
        "index",
        "_selected_action",
        "post",
        "_save",
        "_continue",
        "_addanother",
        "_saveasnew",
    ),
    *("title", "author", "price", "stock_quantity", "is_active", "isbn", "genre", "description", "publish_date"),
    *("cover_image_url", "initial-price", "initial-genre", "initial-stock_quantity", "name", "initial-name", "email"),
    *("groups", "initial-groups", "user_permissions", "is_superuser", "is_staff", "password1", "password2"),
    *("usable_password", "old_password", "new_password1", "new_password2", "username", "password", "next"),
    *("verb", "line", "quantity", "shown", "version", "step", "stock", "copies", "percent", "rounding"),
    *("form-TOTAL_FORMS", "form-INITIAL_FORMS", "form-0-id", "form-0-price", "form-0-stock_quantity", "form-1-id"),
    *("initial-form-0-price", "form-x-id", "form-999999-id", "resource", "format", "import_file_name"),
)
ACTIONS = (
    *("withdraw", "put_back", "set_stock", "add_to_stock", "change_prices", "set_genre", "move_books", "end"),
    *("delete_selected", "nothing"),
)
# Of objects that are there, that are not, and that cannot be.
KEYS = ("1", "2", "3", "0", "999999", "99999999999999999999", "x", quote("\0"), quote("é"), "_5F", "a/b")
VERBS = ("quantity", "remove", "add", "clear", "undo", "nothing")


def staff_pages(stage: Stage) -> None:
    gets, posts = stage.options.rounds * 20, stage.options.rounds * 30
    asked, failed = fuzz(random.Random(SEED), gets=gets, posts=posts)
    for line in failed[:SHOWN]:
        print(f"       {line}")
    told = ", ".join(f"{count} × {status}" for status, count in sorted(asked.items()))
    stage.report("staff's pages: hostile requests", f"{told}; {len(failed)} wrong", not failed)


def fuzz(chance: random.Random, *, gets: int, posts: int) -> tuple[Counter[int], list[str]]:
    """How many requests had each status, and what was answered with a 5xx or not in HTML."""
    clients = people()
    addresses = list(paths())
    asked: Counter[int] = Counter()
    failed: list[str] = []
    for number in range(gets + posts):
        who, client = chance.choice(clients)
        path = chance.choice(addresses)
        if chance.random() < 0.5:
            query = [(chance.choice(PARAMETERS), chance.choice(TEXTS)) for _ in range(chance.choice((0, 1, 1, 2)))]
            path += "?" + urlencode(query, errors="surrogatepass")
        method, form = ("POST", form_of(chance)) if number % (gets + posts) >= gets else ("GET", {})
        try:
            answer = client.post(path, form) if method == "POST" else client.get(path)
        except UnicodeEncodeError:  # a lone surrogate: no request can carry it
            continue
        asked[answer.status_code] += 1
        kind = answer.headers.get("Content-Type", "")
        if answer.status_code >= 500 or (answer.status_code >= 400 and "json" in kind):
            failed.append(f"{answer.status_code} {kind} {who} {method} {path[:300]} {str(form)[:300]}")
        if number % SIGN_IN_EVERY == 0:  # they sign out, deactivate and delete each other
            clients = people()
    return asked, failed


def people() -> list[tuple[str, Any]]:
    """A client for each group, for a superuser, for staff of no group, and for nobody."""
    from django.contrib.auth.models import Group
    from django.test import Client

    from bookstore.accounts.models import User

    clients = [("nobody", Client(raise_request_exception=False, SERVER_NAME="127.0.0.1"))]
    for name in ["superuser", "no group", *Group.objects.values_list("name", flat=True)]:
        user, _ = User.objects.get_or_create(
            email=f"{re.sub('[^a-z]', '.', name.lower())}@staff.example.com",
            defaults={"is_staff": True, "is_superuser": name == "superuser", "password": "!"},
        )
        User.objects.filter(pk=user.pk).update(is_active=True, is_staff=True, is_superuser=name == "superuser")
        user.refresh_from_db()
        user.groups.set(Group.objects.filter(name=name))
        client = Client(raise_request_exception=False, SERVER_NAME="127.0.0.1")
        client.force_login(user)
        clients += [(name, client)] * (4 if name == "superuser" else 1)  # who gets furthest asks most
    return clients


def paths(keys: Sequence[str] = KEYS) -> Iterator[str]:
    """Each route of the site, with each of these keys of an object where it has one."""
    from tests.support.routes import routes

    for route, _ in routes():
        if not route.startswith("admin/"):
            continue
        for key in keys if "<" in route else [""]:
            path = re.sub(r"\^?\(\?P<app_label>([a-z]+)[^)]*\)/\$", r"\1/", route)
            path = re.sub(r"\(\?P<url>[^)]*\)\$", "nothing/", path)
            path = re.sub(r"<uuid:[a-z_]+>", "00000000-0000-0000-0000-000000000001", path)
            yield "/" + re.sub(r"<[a-z:_]+>", key, path).replace("$", "")


def form_of(chance: random.Random) -> dict[str, Any]:
    """A form: sometimes nearly right, sometimes of more fields than Django reads."""
    if chance.random() < 0.02:
        return {f"field{number}": "1" for number in range(1200)}
    form: dict[str, Any] = {chance.choice(FIELDS): chance.choice(TEXTS) for _ in range(chance.randint(0, 12))}
    match chance.randint(0, 4):
        case 0:
            chosen = [str(chance.randint(1, 5)) for _ in range(3)]
            form |= {"action": chance.choice(ACTIONS), "_selected_action": [*chosen, chance.choice(TEXTS)]}
            form |= {"select_across": chance.choice(("0", "1", "x"))}
        case 1:
            form |= {"verb": chance.choice(VERBS), "line": chance.choice(("1", "2", "x", ""))}
        case 2:
            form |= {"_save": "Save", "form-0-id": str(chance.randint(1, 4)), "form-0-price": chance.choice(TEXTS)}
    return form
