"""The public catalogue through a real nginx with deploy/nginx.conf, before the real server."""

import gzip
import json
import time
from contextlib import ExitStack

import pytest

from bookstore.accounts import tokens
from bookstore.accounts.models import LoginSession
from catalog.models import Book
from tests.support.client import Client
from tests.support.server import running_server
from tools.nginx import find_nginx, nginx

# The server is a process of its own, and the SQLite of the tests is in memory.
pytestmark = [pytest.mark.slow, pytest.mark.postgres, pytest.mark.django_db(transaction=True)]

SECONDS = 4
ORIGIN = "https://shop.example"


@pytest.fixture(scope="module")
def program():
    program = find_nginx()
    if not program:
        pytest.skip("nginx is not installed: the cache of deploy/nginx.conf is not tried")
    return program


@pytest.fixture(scope="module")
def shop(program, django_db_setup):
    """The port of nginx before a server of the shop whose catalogue may be kept for an hour: one for all tests here,
    whose books have ids of their own."""
    with (
        running_server(workers=1, CATALOGUE_CACHE_SECONDS="3600", CORS_ALLOWED_ORIGINS=ORIGIN) as port,
        nginx(program, port) as front,
    ):
        yield front


def ask(port, path, method="GET", body=None, **headers):
    """Status, headers in lower case, and content."""
    with Client(port) as client:
        answer = client(method, path, body, **headers)
    return answer.status, {name.lower(): value for name, value in answer.headers.items()}, answer.content


def price(port, path, **headers):
    status, _, content = ask(port, path, **headers)
    assert status == 200, content
    return json.loads(content)["price"]


def token_of(user):
    return f"Bearer {tokens.issue(LoginSession.objects.begin(user))['access_token']}"


def test_answers_of_the_last_minutes_outlive_the_application(program, emma, dracula):
    paths = [f"/books/{emma.pk}", f"/books/{dracula.pk}", "/books", "/books?q=emma", "/genres"]
    with ExitStack() as stack:
        application = stack.enter_context(ExitStack())
        port = application.enter_context(running_server(workers=1, CATALOGUE_CACHE_SECONDS=str(SECONDS)))
        front = stack.enter_context(nginx(program, port))
        running = {path: ask(front, path)[::2] for path in paths}
        application.close()
        time.sleep(SECONDS + 1)  # too old by now

        away = {path: ask(front, path)[::2] for path in paths}
        never_asked, _, _ = ask(front, "/books?page=2")

    assert {status for status, _ in running.values()} == {200}
    assert away == running
    assert never_asked == 503


def test_book_is_cached_except_for_a_token_or_the_staffs_cookie(shop, emma, alice):
    path = f"/books/{emma.pk}"
    before = price(shop, path)
    Book.objects.filter(pk=emma.pk).update(price="11.00")

    by_token = price(shop, path, Authorization=token_of(alice))
    by_cookie = price(shop, path, Cookie="sessionid=abc")
    by_visitor = price(shop, path)
    _, headers, _ = ask(shop, path, Authorization="Bearer nonsense")

    assert (before, by_token, by_cookie, by_visitor) == ("9.50", "11.00", "11.00", "9.50")
    assert headers["cache-control"] == "private, no-store"


BESIDE_THE_ADDRESS: list[tuple[str, dict[str, str]]] = [
    ("/books/{id}", {"Host": "127.0.0.1:1"}),
    ("/books/{id}", {"Host": "evil.example"}),
    ("/books/{id}", {"X_Forwarded_Host": "evil.example"}),
    ("/books/{id}", {"X_Forwarded_Proto": "https"}),
    ("/books/{id}", {"X_Forwarded_For": "203.0.113.9"}),
    ("/books/{id}", {"X_Original_URL": "/genres", "X_Rewrite_URL": "/genres"}),
    ("/books/{id}", {"X_HTTP_Method_Override": "DELETE"}),
    ("/books/{id}", {"Accept": "text/html"}),
    ("/books/{id}", {"Accept_Encoding": "gzip"}),
    ("/books/{id}", {"Origin": "https://evil.example"}),
    ("/books/{id}", {"X_Request_ID": "evil"}),
    ("/books/{id}", {"Range": "bytes=0-3"}),
    ("/books/{id}", {"If_Match": '"0"'}),
    ("/books/{id}", {"If_None_Match": "*"}),
    ("/books/{id}", {"Authorization": "Bearer nonsense"}),
    ("/books/{id}", {"Cookie": "sessionid=abc"}),
    ("/books/{id}?evil=1", {}),
    ("/books/{id}?", {}),
    ("/books/{id}/", {}),
    ("//books/{id}", {}),
]


def test_headers_of_one_client_are_not_in_anothers_answer(shop, db):
    wrong = {}
    for path, headers in BESIDE_THE_ADDRESS:
        book = Book.objects.create(title="Kim", author="Rudyard Kipling", price="7.00")
        ask(shop, path.format(id=book.pk), **headers)

        answers = [ask(shop, f"/books/{book.pk}", Host=f"127.0.0.1:{shop}", Origin=ORIGIN) for _ in range(2)]

        for status, got, content in answers:
            seen = (
                status,
                json.loads(content)["title"] if status == 200 else content,
                *(got.get(name) for name in ("access-control-allow-origin", "content-type", "content-encoding")),
                got.get("cache-control", "").partition(",")[0],
                "evil" in str(got),
            )
            if seen != (200, "Kim", ORIGIN, "application/json", None, "public", False):
                wrong[path, str(headers)] = seen
        if answers[0][1]["x-request-id"] == answers[1][1]["x-request-id"]:
            wrong[path, str(headers)] = "the same X-Request-ID twice"

    assert wrong == {}


def test_no_header_passes_for_a_part_of_the_address(shop, emma):
    plain, _, _ = ask(shop, "/books?size=1", Origin="0|")

    status, _, _ = ask(shop, "/books?size=1|0")

    assert (plain, status) == (200, 422)


def test_schema_is_cached_for_each_media_type(shop):
    kinds = ("application/json", "application/vnd.oai.openapi+json")
    first = {kind: ask(shop, "/schema", Accept=kind) for kind in kinds}
    time.sleep(1.1)  # Date has whole seconds

    again = {kind: ask(shop, "/schema", Accept=kind) for kind in kinds}

    for kind in kinds:
        status, headers, content = again[kind]
        assert (status, headers["content-type"], content) == (200, kind, first[kind][2])
        assert headers["etag"] == first[kind][1]["etag"]
        assert headers["date"] == first[kind][1]["date"]


def test_error_is_not_kept(shop, emma):
    missing = emma.pk
    emma.delete()  # so that no book of another test gets this id
    first = {path: ask(shop, path) for path in (f"/books/{missing}", "/books?page=0")}
    Book.objects.create(pk=missing, title="Kim", author="Rudyard Kipling", price="7.00")

    second = ask(shop, f"/books/{missing}")

    assert [(status, headers["cache-control"]) for status, headers, _ in first.values()] == [
        (404, "no-store"),
        (422, "no-store"),
    ]
    assert second[0] == 200


def test_changed_price_is_seen_within_the_setting(program, emma):
    with running_server(workers=1, CATALOGUE_CACHE_SECONDS=str(SECONDS)) as port, nginx(program, port) as front:
        before = price(front, f"/books/{emma.pk}")
        Book.objects.filter(pk=emma.pk).update(price="11.00")
        changed = time.monotonic()
        kept = price(front, f"/books/{emma.pk}")
        asked = time.monotonic()
        while price(front, f"/books/{emma.pk}") != "11.00":
            assert asked - changed <= SECONDS
            time.sleep(0.05)
            asked = time.monotonic()

    assert (before, kept) == ("9.50", "9.50")


def test_answer_is_compressed_and_found_unchanged_by_its_weak_etag(shop, emma):
    for number in range(20):
        Book.objects.create(title=f"Letters, Volume {number}", author="Jane Austen", price="9.99")
    plain = ask(shop, "/books")
    status, headers, content = ask(shop, "/books", Accept_Encoding="gzip")

    unchanged, _, nothing = ask(shop, "/books", Accept_Encoding="gzip", If_None_Match=headers["etag"])
    head = ask(shop, "/books", method="HEAD")

    assert (status, headers["content-encoding"]) == (200, "gzip")
    assert gzip.decompress(content) == plain[2]
    assert headers["etag"] == f"W/{plain[1]['etag']}"
    assert (unchanged, nothing) == (304, b"")
    assert (head[0], head[1]["content-length"], head[2]) == (200, plain[1]["content-length"], b"")


def test_cart_is_changed_with_the_weak_etag_of_a_compressed_answer(shop, emma, alice):
    books = [
        Book.objects.create(title=f"Letters {n}", author="J. Austen", price="9", stock_quantity=9) for n in range(9)
    ]
    headers = {"Authorization": token_of(alice), "Accept_Encoding": "gzip"}
    for book in books:
        ask(shop, "/cart/items", "POST", {"book_id": book.pk}, **headers)
    _, read, content = ask(shop, "/cart", **headers)
    line = json.loads(gzip.decompress(content))["items"][0]["id"]

    changed = ask(shop, f"/cart/items/{line}", "PUT", {"quantity": 3}, **headers, If_Match=read["etag"])
    again = ask(shop, f"/cart/items/{line}", "PUT", {"quantity": 4}, **headers, If_Match=read["etag"])

    assert read["etag"].startswith("W/")
    assert (changed[0], again[0]) == (200, 412)
