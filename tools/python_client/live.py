"""Plays the client that openapi-python-client generates against a running shop: `live.py BASE_URL`."""

import sys
from pathlib import Path
from secrets import token_hex

sys.path.insert(0, str(Path(__file__).parents[2] / "build"))

from python_client import AuthenticatedClient, Client
from python_client.api.auth import get_me, login, register
from python_client.api.cart import add_cart_item, preview_cart, read_cart
from python_client.api.catalogue import list_books
from python_client.models import (
    AddItemRequest,
    BookPage,
    Cart,
    CartItem,
    CartItemDuplicateError,
    EntryRequest,
    InvalidCredentialsError,
    LoginRequest,
    Me,
    MergeRequest,
    PreviewedCart,
    RegisterRequest,
    Tokens,
)

PASSWORD = "correct horse battery"


def main(base_url: str) -> None:
    guest = Client(base_url)
    page = list_books.sync(client=guest, in_stock=True, size=1)
    assert isinstance(page, BookPage)
    [book] = page.items
    preview = preview_cart.sync(client=guest, body=MergeRequest([EntryRequest(book.id, quantity=2)]))
    assert isinstance(preview, PreviewedCart)
    assert preview.total_items == 2
    email = f"{token_hex(8)}@example.com"
    tokens = register.sync(client=guest, body=RegisterRequest(email, PASSWORD))
    assert isinstance(tokens, Tokens)
    refused = login.sync(client=guest, body=LoginRequest(email, "wrong horse battery"))
    assert isinstance(refused, InvalidCredentialsError)
    customer = AuthenticatedClient(base_url, tokens.access_token)
    me = get_me.sync(client=customer)
    assert isinstance(me, Me)
    assert (me.email, me.email_verified) == (email, False)
    assert isinstance(add_cart_item.sync(client=customer, body=AddItemRequest(book.id)), CartItem)
    assert isinstance(add_cart_item.sync(client=customer, body=AddItemRequest(book.id)), CartItemDuplicateError)
    answer = read_cart.sync_detailed(client=customer)
    assert isinstance(answer.parsed, Cart)
    assert answer.parsed.total_items == 1
    unchanged = read_cart.sync_detailed(client=customer, if_none_match=answer.headers["ETag"])
    assert (unchanged.status_code, unchanged.parsed) == (304, None)
    print("The client of openapi-python-client works against a running shop.")


if __name__ == "__main__":
    main(sys.argv[1])
