"""Profiles reads inside one process: `make bench-profile` runs it.

Calls the WSGI application directly, without a server or a socket to the client. Every figure is the best of many short
batches, in microseconds of CPU time (`wall` where it says so): what other programs on the machine do makes a batch
slower, never faster. It makes its own user, books (1,000) and cart, and deletes them again.
"""

import io
import logging
import os
import sys
from collections.abc import Callable
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

BATCHES, RUNS = 40, 50

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bookstore.settings")
sys.stderr = io.StringIO()  # the log is written, and thrown away

# Only now: the path and the variable above come first.
import django  # noqa: E402

django.setup()

from django.conf import settings  # noqa: E402
from django.core.handlers.wsgi import WSGIHandler  # noqa: E402
from django.db import connection  # noqa: E402

from bookstore.accounts import tokens  # noqa: E402
from bookstore.accounts.caller import Caller  # noqa: E402
from bookstore.accounts.models import LoginSession, User  # noqa: E402
from bookstore.api.request import Utf8Request  # noqa: E402
from bookstore.server.direct import DirectReads  # noqa: E402
from cart import statements  # noqa: E402
from cart.models import Cart  # noqa: E402
from cart.representation import cart_json, dump, version_of  # noqa: E402
from catalog import reading  # noqa: E402
from catalog.models import Book, Genre  # noqa: E402


def best(work: Callable[[], object], clock: Callable[[], float] = process_time) -> float:
    """Microseconds of one run, in the best batch."""
    for _ in range(20):
        work()
    figures = []
    for _ in range(BATCHES):
        started = clock()
        for _ in range(RUNS):
            work()
        figures.append((clock() - started) / RUNS * 1e6)
    return min(figures)


def environ(path: str, token: str) -> dict[str, Any]:
    path, _, query = path.partition("?")
    return {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "8000",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": settings.ALLOWED_HOSTS[0],
        "REMOTE_ADDR": "127.0.0.1",
        **({"HTTP_AUTHORIZATION": f"Bearer {token}"} if token else {}),
        "wsgi.input": io.BytesIO(),
        "wsgi.errors": io.StringIO(),
        "wsgi.url_scheme": "http",
    }


def call(application: Any, path: str, token: str) -> bytes:
    said: list[str] = []
    response = application(environ(path, token), lambda status, headers: said.append(status))
    if said != ["200 OK"]:
        raise SystemExit(f"{path} answered {said}: nothing was measured")
    content: bytes = response.content
    response.close()
    return content


def forget() -> None:
    reading.pages.clear()
    reading.totals.clear()


def profile_catalogue(application: Any) -> None:
    """Every read of the catalogue: direct, by Django's handler, and direct after a change of the catalogue."""
    genre = Genre.objects.create(name="Profile")
    books = Book.objects.bulk_create(
        Book(
            title=f"The {'North Sea' if n % 50 else 'Winter Garden'}, Volume {n}",
            author="Jane Austen",
            price="12.50",
            genre=genre,
            description="A description of a hundred letters or so, as a catalogue has it. " * 2,
            cover_image_url=f"https://covers.example/{n}.jpg",
            stock_quantity=9,
        )
        for n in range(1000)
    )
    direct = DirectReads(application)
    print(f"{'microseconds of CPU':44}{'direct':>12}{'handler':>12}{'looked for':>12}")
    for path in (
        f"/books/{books[7].pk}",
        "/books?page=7",
        f"/books?genre_id={genre.pk}&sort=price",
        "/books?q=winter%20garden",
        "/genres",
    ):
        remembered = best(lambda path=path: call(direct, path, ""))
        by_handler = best(lambda path=path: call(application, path, ""))
        looked_for = best(lambda path=path: (forget(), call(direct, path, "")))
        print(f"{f'GET {path}':44}{remembered:>12.0f}{by_handler:>12.0f}{looked_for:>12.0f}")
    Book.objects.filter(genre=genre).delete()
    genre.delete()


def main() -> None:
    application = WSGIHandler()
    application.request_class = Utf8Request
    profile_catalogue(application)
    print(f"{'microseconds of CPU':44}{'5 lines':>10}{'50 lines':>10}")
    rows: dict[str, list[float]] = {}
    logger = logging.getLogger("bookstore.request")
    for lines in (5, 50):
        user = User.objects.create_user(f"profile-{lines}@example.com", "a-password-of-a-profile")
        books = Book.objects.bulk_create(
            Book(title=f"Book {n} of the profile", author="Anonymous", price="12.50", stock_quantity=9)
            for n in range(lines)
        )
        Cart.objects.of(user).merge([(book.pk, 2) for book in books])
        token = tokens.issue(LoginSession.objects.begin(user))["access_token"]
        caller = Caller(tokens.read_access(token))
        cart = statements.read(caller)
        body = dump(cart_json(cart))
        line = {"method": "GET", "path": "/cart", "status": 200, "ms": 1.2}
        for name, work in {
            "GET /cart, all of it": lambda token=token: call(application, "/cart", token),
            "  the statement and its rows": lambda caller=caller: statements.read(caller),
            "  JSON and ETag": lambda cart=cart, body=body: (dump(cart_json(cart)), version_of(body)),
            "  the token, signature remembered": lambda token=token: tokens.read_access(token),
            "  the line in the log": lambda line=line: logger.info("%(method)s %(path)s", line, extra=line),
            "GET /health, all of it": lambda: call(application, "/health", ""),
            "signature not remembered": lambda token=token: tokens.read(tokens.Access, token),
        }.items():
            rows.setdefault(name, []).append(best(work))
        wall = best(lambda caller=caller: statements.read(caller), perf_counter)
        rows.setdefault("the statement and its rows, wall", []).append(wall)
        user.delete()
        Book.objects.filter(pk__in=[book.pk for book in books]).delete()
    for name, figures in rows.items():
        print(f"{name:50}{figures[0]:>7.0f}{figures[1]:>10.0f}")
    print(f"on {connection.vendor}, Python {sys.version.split()[0]}, Django {django.__version__}")


if __name__ == "__main__":
    main()
