"""What a newcomer executes on /docs of the demo shop, unchanged, in the page's own order."""

import pytest

from tests.support.client import Client
from tests.support.demo import demo_shop

pytestmark = [pytest.mark.slow, pytest.mark.any_database]

ALICE, STAFF = "alice", "staff"
# Who executes which operation: its answer, with the path's ids of the demo shop.
VISIT = [
    ("register", None, 201),
    ("login", None, 200),
    ("add_cart_item", ALICE, 201),
    ("merge_cart", ALICE, 200),
    ("create_book", STAFF, 201),
    ("change_book", STAFF, 200),
    ("set_stock", STAFF, 200),
    ("create_genre", STAFF, 201),
]


@pytest.fixture
def shop(tmp_path, transactional_db):
    with demo_shop(tmp_path) as shop:
        yield shop


def operations(schema):
    return {
        operation["operationId"]: (method.upper(), path, operation)
        for path, methods in schema["paths"].items()
        for method, operation in methods.items()
    }


def test_what_the_page_offers_to_send_succeeds_as_it_stands(shop):
    def ask(method, path, body=None, token=""):
        with Client(int(shop.url.rpartition(":")[2]), token) as client:
            return client(method, path, body)

    known = operations(ask("GET", "/schema").body)
    tokens, answers = {}, {}

    for name, who, status in VISIT:
        method, path, operation = known[name]
        first = next(iter(operation["requestBody"]["content"]["application/json"]["examples"].values()))["value"]
        answers[name] = ask(method, path.format(book_id=1), first, tokens.get(who, ""))
        assert answers[name].status == status, (name, answers[name])
        if name == "login":
            staff = {"email": "staff@example.com", "password": "demo-staff-shelf"}
            tokens = {
                ALICE: answers[name].body["access_token"],
                STAFF: ask("POST", "/auth/login", staff).body["access_token"],
            }

    line = answers["add_cart_item"].body
    [shown] = known["add_cart_item"][2]["responses"]["201"]["content"]["application/json"]["examples"].values()
    line["book"]["cover_image_url"] = None  # its address has the port of this server
    own = {"id", "added_at"}
    assert {**line, **dict.fromkeys(own)} == {**shown["value"], **dict.fromkeys(own)}
    assert answers["merge_cart"].body["results"][1] == {
        "book_id": 5,
        "status": "skipped",
        "code": "CART_BOOK_OUT_OF_STOCK",
    }
