"""The cookie of the staff's sessions."""

import pytest
from django.test import Client

from bookstore.accounts.tests.factories import PASSWORD, SuperuserFactory

pytestmark = pytest.mark.django_db(transaction=True)

KEY = "0123456789abcdefghijklmnopqrstuv"


@pytest.mark.parametrize(
    "cookie", ['"aaaaaaaa\\000a"', f'"{KEY[:-1]}\\000"', KEY, KEY.upper(), KEY[:-1], KEY * 100, '""', "é" * 32]
)
@pytest.mark.parametrize("path", ["/admin/", "/admin/catalog/book/", "/admin/jsi18n/"])
def test_cookie_that_names_no_session_is_nobodys(cookie, path):
    response = Client(raise_request_exception=False).get(path, headers={"Cookie": f"sessionid={cookie}"})

    assert (response.status_code, response["Location"]) == (302, f"/admin/login/?next={path}")


def test_staff_with_a_broken_cookie_sign_in_and_get_a_good_one():
    SuperuserFactory(email="olga@example.com")
    client = Client(raise_request_exception=False, headers={"Cookie": 'sessionid="aaaaaaaa\\000a"'})

    response = client.post("/admin/login/", {"username": "olga@example.com", "password": PASSWORD})

    assert response.status_code == 302
    assert len(response.cookies["sessionid"].value) == 32
