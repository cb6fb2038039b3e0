"""A storefront's side of the bookstore API, to copy from. Python's standard library is all it needs.

    python examples/storefront.py [BASE_URL]            # http://127.0.0.1:8000, which `make run` serves

The first half is a client: `Api` (HTTP, tokens, errors), `GuestCart` and `Storefront`. The second half plays a visit of
a customer with it. So that something happens to the customer's cart, it signs in as the demo's staff, too, makes four
books, sells and withdraws them in mid-visit, and deletes them in the end.
"""

import argparse
import json
import secrets
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

Json = dict[str, Any]

TIMEOUT = 10  # seconds
PAUSE = 0.2  # seconds before the second attempt, and longer before the next
ATTEMPTS = 3  # of a call whose answer is lost, and of a change that somebody else's change came before


@dataclass
class Answer:
    status: int
    body: Any
    etag: str | None


class Refused(Exception):
    """The API said no. `code` is for the program, the text for the customer."""

    def __init__(self, status: int, body: Json) -> None:
        super().__init__(body["detail"])
        self.status, self.code, self.body = status, body["code"], body


def send(request: Request) -> Answer:
    """One exchange, whatever the status. Raises OSError when no answer comes."""
    try:
        response = urlopen(request, timeout=TIMEOUT)
    except HTTPError as error:
        response = error
    with response:
        content = response.read()
    try:
        body = json.loads(content) if content else None
    except ValueError as error:  # a page of something on the way: it is not known whether the API was reached
        raise ConnectionError(f"{request.full_url} answered {response.status} without JSON") from error
    return Answer(response.status, body, response.headers.get("ETag"))


class Api:
    """Calls the API for one customer, or for a guest until `tokens` are there. Threads may share it."""

    def __init__(self, base_url: str, send: Callable[[Request], Answer] = send) -> None:
        self.base_url, self.send = base_url.rstrip("/"), send
        self.tokens: Json | None = None
        self._refreshing = threading.Lock()

    def call(self, method: str, path: str, body: Json | None = None, **headers: str) -> Answer:
        """The answer (200 to 304), else Refused. An access token that has ended is exchanged, once, for a new one."""
        tokens = self.tokens
        try:
            return self._exchange(method, path, body, tokens, headers)
        except Refused as refusal:
            if tokens is None or refusal.code not in {"AUTH_TOKEN_EXPIRED", "AUTH_TOKEN_INVALID"}:
                raise
        return self._exchange(method, path, body, self._refreshed(tokens), headers)

    def _refreshed(self, ended: Json) -> Json:
        """New tokens for those that ended. A refresh token is good once, so only one thread may use it."""
        with self._refreshing:
            if self.tokens is ended:  # else another thread was here first
                answer = self._exchange("POST", "/auth/refresh", {"refresh_token": ended["refresh_token"]}, None, {})
                self.tokens = answer.body
            assert self.tokens is not None
            return self.tokens

    def _exchange(
        self, method: str, path: str, body: Json | None, tokens: Json | None, headers: dict[str, str]
    ) -> Answer:
        request = Request(self.base_url + path, method=method, data=None if body is None else json.dumps(body).encode())
        for name, value in headers.items():
            request.add_header(name.replace("_", "-"), value)
        if body is not None:
            request.add_header("Content-Type", "application/json")
        if tokens:
            request.add_header("Authorization", f"Bearer {tokens['access_token']}")
        answer = self.send(request)
        if answer.status >= 400:
            raise Refused(answer.status, answer.body)
        return answer


class GuestCart:
    """What somebody who has not signed in wants. It lives in the storefront: localStorage, a cookie, a file."""

    def __init__(self) -> None:
        self.quantities: dict[int, int] = {}
        self.prices: dict[int, str] = {}  # as the guest saw them

    def add(self, book: Json, quantity: int = 1) -> None:
        self.quantities[book["id"]] = min(999, self.quantities.get(book["id"], 0) + quantity)
        self.prices[book["id"]] = book["price"]

    def entries(self) -> list[Json]:
        """The body of a preview or a merge takes up to 100 of these."""
        return [
            {"book_id": book_id, "quantity": quantity, "price_seen": self.prices[book_id]}
            for book_id, quantity in self.quantities.items()
        ]


class Storefront:
    """What the pages of a shop need of the API."""

    def __init__(self, api: Api) -> None:
        self.api = api
        self.seen: Answer | None = None  # the cart as the customer sees it now, with its ETag

    def search(self, words: str, **filters: object) -> list[Json]:
        found: list[Json] = self.api.call("GET", f"/books?{urlencode({'q': words, **filters})}").body["items"]
        return found

    def register(self, email: str, password: str) -> None:
        self.api.tokens = self.api.call("POST", "/auth/register", {"email": email, "password": password}).body

    def sign_in(self, email: str, password: str, guest: GuestCart | None = None) -> list[Json]:
        """Signs in and takes over the guest's cart. The results say what became of each of its books."""
        self.api.tokens = self.api.call("POST", "/auth/login", {"email": email, "password": password}).body
        return self.merge(guest) if guest and guest.quantities else []

    def preview(self, guest: GuestCart) -> Json:
        """The guest's cart with today's prices, issues and totals, without a token."""
        cart: Json = self._insist("POST", "/cart/preview", {"items": guest.entries()}).body
        return cart

    def merge(self, guest: GuestCart) -> list[Json]:
        """Safe to repeat when its answer is lost: a book that is there gets the larger of the two quantities."""
        self.seen = self._insist("POST", "/cart/merge", {"items": guest.entries()})
        results: list[Json] = self.seen.body["results"]
        guest.quantities.clear()
        return results

    def cart(self) -> Json:
        """The cart; costs only a 304 as long as it is the one that the customer sees."""
        known = {"If_None_Match": self.seen.etag} if self.seen and self.seen.etag else {}
        answer = self.api.call("GET", "/cart", None, **known)
        if answer.status != 304:
            self.seen = answer
        assert self.seen is not None  # a 304 answers If-None-Match
        cart: Json = self.seen.body
        return cart

    def has_changed(self) -> bool:
        """For polling: whether `cart()` shows something new."""
        before = self.seen
        self.cart()
        return self.seen is not before

    def add(self, book_id: int, quantity: int = 1) -> Json:
        """Puts a book into the cart, and answers its line. A repeated add never adds twice: the book is there already,
        the refusal names its line, and a PUT says how many copies the customer wants."""
        try:
            line: Json = self._insist("POST", "/cart/items", {"book_id": book_id, "quantity": quantity}).body
        except Refused as refusal:
            if refusal.code != "CART_ITEM_DUPLICATE":
                raise
            line = self._insist("PUT", f"/cart/items/{refusal.body['item_id']}", {"quantity": quantity}).body
        return line

    def change(self, decide: Callable[[Json], tuple[int, int] | None]) -> Json:
        """Changes one line of the cart that the customer sees, and of no other: another device may be at work, too.

        `decide(cart)` says which line gets how many copies (0 removes it, None leaves all as it is). It is asked again
        with the new cart when the cart has changed meanwhile.
        """
        for _ in range(ATTEMPTS):
            cart = self.seen.body if self.seen else self.cart()
            wanted = decide(cart)
            if wanted is None:
                return cart
            line_id, quantity = wanted
            unchanged = {"If_Match": self.seen.etag} if self.seen and self.seen.etag else {}
            path = f"/cart/items/{line_id}?return=cart"  # the whole cart as it is then, and its ETag
            try:
                if quantity:
                    self.seen = self.api.call("PUT", path, {"quantity": quantity}, **unchanged)
                else:
                    self.seen = self.api.call("DELETE", path, None, **unchanged)
            except Refused as refusal:
                if refusal.code not in {"CART_CHANGED", "CART_ITEM_NOT_FOUND"}:
                    raise
                self.cart()
            else:
                changed: Json = self.seen.body
                return changed
        raise RuntimeError("The cart changes faster than we can follow.")

    def _insist(self, method: str, path: str, body: Json) -> Answer:
        """Calls again when no answer comes. Only for calls that may be repeated; those of this API may."""
        for attempt in range(1, ATTEMPTS):
            try:
                return self.api.call(method, path, body)
            except OSError:
                time.sleep(attempt * PAUSE)
        return self.api.call(method, path, body)


def first_trouble(cart: Json) -> tuple[Json, Json] | None:
    """The first line that the customer must hear of, and its issue."""
    return next(((line, issue) for line in cart["items"] for issue in line["issues"]), None)


def settle(cart: Json) -> tuple[int, int] | None:
    """What this storefront does about the first issue; a decision for `Storefront.change`."""
    trouble = first_trouble(cart)
    if trouble is None:
        return None
    line, issue = trouble
    match issue["code"]:
        case "BOOK_UNAVAILABLE" | "BOOK_OUT_OF_STOCK":
            return line["id"], 0
        case "INSUFFICIENT_STOCK":
            return line["id"], issue["available"]
        case "PRICE_CHANGED":  # the customer saw it, and still wants it: the same quantity again settles it
            return line["id"], line["quantity"]
        case code:
            raise NotImplementedError(f"This storefront does not know the issue {code}.")


def explain(line: Json, issue: Json) -> str:
    title = line["book"]["title"]
    match issue["code"]:
        case "BOOK_UNAVAILABLE":
            return f"{title} is no longer sold: removed."
        case "BOOK_OUT_OF_STOCK":
            return f"{title} is sold out: removed."
        case "INSUFFICIENT_STOCK":
            return f"{title}: you asked for {line['quantity']}, {issue['available']} left: lowered."
        case "PRICE_CHANGED":
            return f"{title} was {issue['from']} and is {issue['to']} now: confirmed."
        case code:
            return f"{title}: {code}."


# --- A customer's visit -----------------------------------------------------------------------------------------------

TITLES = ("Withdrawn", "Sold Out", "Nearly Sold Out", "The Price of Paper")
AUTHOR = "Storefront Example"


@contextmanager
def books_of_the_visit(staff: Api) -> Iterator[dict[str, int]]:
    """Four books by their titles, with ten copies of each; gone afterwards."""
    ids: dict[str, int] = {}
    try:
        for title in TITLES:
            book = {"title": title, "author": AUTHOR, "price": "10.00", "stock_quantity": 10}
            ids[title] = staff.call("POST", "/books", book).body["id"]
        yield ids
    finally:
        for book_id in ids.values():
            staff.call("DELETE", f"/books/{book_id}")


def losing_the_first_answer() -> Callable[[Request], Answer]:
    """A network on which the request arrives, and the first answer does not."""
    answers = iter([True])

    def lossy(request: Request) -> Answer:
        answer = send(request)
        if next(answers, False):
            raise ConnectionResetError("the answer was lost")
        return answer

    return lossy


def show(cart: Json) -> None:
    for line in cart["items"]:
        issues = ", ".join(issue["code"] for issue in line["issues"])
        print(
            f"    {line['quantity']} x {line['book']['title']}  {line['line_total']}{f'  ({issues})' if issues else ''}"
        )
    ready = "ready for checkout" if cart["checkout_ready"] else "not ready for checkout"
    print(f"    {cart['total_items']} copies, {cart['total_price']} {cart['currency']}: {ready}")


def visit(base_url: str, staff: Api) -> None:
    email, password = f"{secrets.token_hex(8)}@example.com", secrets.token_urlsafe(16)
    api = Api(base_url)
    shop = Storefront(api)
    with books_of_the_visit(staff) as books:
        print("A guest searches, and the storefront keeps the guest's cart.")
        guest = GuestCart()
        found = [book for book in shop.search(AUTHOR, size=100) if book["id"] in books.values()]
        for book in found:
            print(f"    {book['title']}, {book['price']}")
            if book["title"] != "The Price of Paper":
                guest.add(book, 5)
        show(shop.preview(guest))

        print("The guest registers, signs in, and finds the books there.")
        shop.register(email, password)
        for result in shop.sign_in(email, password, guest):
            assert result["status"] == "added", result
        show(shop.cart())

        print("An add whose answer is lost is repeated; the refusal names the line, and nothing is there twice.")
        api.send = losing_the_first_answer()
        line = shop.add(books["The Price of Paper"], 3)
        api.send = send
        print(f"    {line['quantity']} x {line['book']['title']}")
        show(shop.cart())

        print("Polling costs a 304 until something changes.")
        print(f"    changed: {shop.has_changed()}")
        staff.call("PUT", f"/books/{books['Withdrawn']}", {"is_active": False})
        staff.call("PATCH", f"/books/{books['Sold Out']}/stock", {"quantity": 0})
        staff.call("PATCH", f"/books/{books['Nearly Sold Out']}/stock", {"quantity": 2})
        staff.call("PUT", f"/books/{books['The Price of Paper']}", {"price": "12.50"})
        print(f"    changed: {shop.has_changed()}")
        show(shop.cart())

        print("Each issue is told and settled.")
        while trouble := first_trouble(shop.cart()):
            print(f"    {explain(*trouble)}")
            shop.change(settle)
        show(shop.cart())

        print("The telephone changes the cart that the laptop shows: 412, and the laptop decides again.")
        telephone = Storefront(Api(base_url))
        telephone.sign_in(email, password)
        telephone.add(books["The Price of Paper"], 7)
        asked: list[int] = []

        def one_more(cart: Json) -> tuple[int, int]:
            line = next(line for line in cart["items"] if line["book_id"] == books["The Price of Paper"])
            asked.append(line["quantity"])
            return line["id"], line["quantity"] + 1

        cart = shop.change(one_more)
        print(f"    one more than {' and then than '.join(map(str, asked))}")
        show(cart)

        print("An access token ends; it is refreshed, and the customer does not notice.")
        assert api.tokens is not None
        api.tokens["access_token"] = "ended"
        show(shop.cart())
        print(f"    {'a new token' if api.tokens['access_token'] != 'ended' else 'the old token'}")


def main() -> None:
    parser = argparse.ArgumentParser(description="Play a customer's visit to the bookstore.")
    parser.add_argument("base_url", nargs="?", default="http://127.0.0.1:8000", metavar="BASE_URL")
    parser.add_argument("--staff-email", default="staff@example.com", help="who may add, change and delete books")
    parser.add_argument("--staff-password", default="demo-staff-shelf")
    options = parser.parse_args()
    staff = Api(options.base_url)
    try:
        Storefront(staff).sign_in(options.staff_email, options.staff_password)
        visit(options.base_url, staff)
    except Refused as refusal:
        sys.exit(f"{options.base_url} refused ({refusal.status} {refusal.code}): {refusal}")
    except OSError as error:
        sys.exit(f"{options.base_url} does not answer ({error}): is it served? `make run` does.")


if __name__ == "__main__":
    main()
