from collections.abc import Callable

import pytest
from rest_framework.response import Response
from rest_framework.test import APIClient

from bookstore.accounts import tokens
from bookstore.accounts.models import LoginSession, User
from bookstore.accounts.tokens import Tokens


@pytest.fixture
def tokens_of() -> Callable[[User], Tokens]:
    """Signs a user in, without a request."""
    return lambda user: tokens.issue(LoginSession.objects.begin(user))


@pytest.fixture
def call_with() -> Callable[[str | None], Response]:
    """GET /cart, which needs a signed-in customer, with this Authorization header."""

    def call(authorization: str | None) -> Response:
        headers = {} if authorization is None else {"HTTP_AUTHORIZATION": authorization}
        return APIClient().get("/cart", **headers)

    return call
