"""Odd parameters in the address of a list."""

import pytest
from django.contrib.auth.models import Group
from django.contrib.contenttypes.models import ContentType
from django.contrib.messages import get_messages
from django.test import Client

from bookstore.accounts.models import User
from bookstore.accounts.tests.factories import SuperuserFactory
from catalog.models import Genre

# Of its own accord PostgreSQL leaves nothing of a transaction in which a statement failed; a list has none.
pytestmark = pytest.mark.django_db(transaction=True)

USERS = "/admin/accounts/user/"


@pytest.fixture
def site(db):
    client = Client(raise_request_exception=False)
    client.force_login(SuperuserFactory(email="olga@example.com"))
    # A filter without a choice is not there.
    Group.objects.bulk_create([Group(name="Night"), Group(name="Day")])
    Genre.objects.add("Novel")
    return client


@pytest.mark.parametrize(
    "address",
    [
        "/admin/catalog/book/?price__range=1",
        "/admin/catalog/book/?title__range=1,2",
        "/admin/catalog/book/?id__range=99999999999999999999",
        "/admin/catalog/book/?stock_quantity__regex=(",
        "/admin/catalog/book/?isbn__contains=%00",
        "/admin/catalog/book/?publish_date__year=-1",
        "/admin/catalog/book/?search_document__gt=2026-01-01T25:00",
        "/admin/catalog/book/?price__gt=1",
        "/admin/catalog/book/?genre__id__exact=x",
        "/admin/catalog/genre/?name__in=%00",
        "/admin/cart/cart/?updated_at__year=0",
        "/admin/cart/cart/?user=99999999999999999999",
        "/admin/auth/group/?name=%00",
        "/admin/accounts/user/?date_joined__iso_year=0",
        "/admin/accounts/user/?is_staff__exact=%00",
        "/admin/accounts/user/?groups__id__exact=%00",
        "/admin/accounts/loginsession/?expires_at__date__year=99999",
        "/admin/accounts/loginsession/?refresh_jti__startswith=0",
        "/admin/accounts/loginsession/?credential__regex=(",
    ],
)
def test_what_no_filter_asks_leads_back_to_the_list(site, address):
    response = site.get(address)

    assert response.status_code == 302
    assert response["Location"] == f"{address.partition('?')[0]}?e=1"
    assert site.get(response["Location"]).status_code == 200


@pytest.mark.parametrize(
    "address",
    [
        "/admin/catalog/book/?genre__id__exact=99999999999999999999",
        "/admin/catalog/book/?genre__isnull=%00",
        "/admin/catalog/book/?q=%00",
        "/admin/accounts/user/?q=%00",
        "/admin/accounts/loginsession/?q=%00",
        "/admin/auth/group/?q=%00",
        "/admin/cart/cart/?q=%00",
        "/admin/cart/cart/?problem=%00&activity=%00&content=%00&book=%00",
        "/admin/accounts/loginsession/?state=%00",
        "/admin/catalog/book/?o=99.-99.x",
    ],
)
def test_what_finds_nothing_is_a_list(site, address):
    assert site.get(address).status_code == 200


@pytest.mark.parametrize(
    "source", [("accounts", "user", "groups"), ("cart", "cart", "user"), ("cart", "cartitem", "book")]
)
def test_search_for_what_no_text_has_finds_nothing(site, source):
    app, model, name = source

    response = site.get(
        "/admin/autocomplete/", {"term": "\0", "app_label": app, "model_name": model, "field_name": name}
    )

    assert (response.status_code, response.json()) == (200, {"results": [], "pagination": {"more": False}})


@pytest.mark.parametrize("selected", ["x", "\0", "-1", "99999999999999999999", "9" * 5000])
def test_action_on_what_no_row_is_called_is_refused(site, selected):
    response = site.post(USERS, {"action": "delete_selected", "_selected_action": selected, "post": "yes"})

    assert response.status_code == 302
    assert [str(message) for message in get_messages(response.wsgi_request)] == [
        "Nothing was done: the form names a row that cannot be."
    ]
    assert User.objects.count() == 1


def test_failure_of_a_list_that_nobody_asked_anything_is_a_bug(site, monkeypatch):
    monkeypatch.setattr("bookstore.accounts.admin.UserAdmin.get_ordering", lambda self, request: 1 / 0)

    assert site.get(USERS).status_code == 500


def test_a_page_of_what_has_a_nul_in_its_name_is_404(site):
    sessions = ContentType.objects.get(app_label="sessions", model="session").pk

    assert site.get(f"/admin/r/{sessions}/%00/").status_code == 404


def test_filter_by_a_book_that_cannot_be_finds_no_cart(site):
    response = site.get(f"/admin/cart/cart/?book={'9' * 5000}")

    assert (response.status_code, list(response.context["cl"].result_list)) == (200, [])


@pytest.mark.parametrize("words", [152, 400])
@pytest.mark.parametrize("page", ["catalog/book", "catalog/genre", "cart/cart", "accounts/user"])
def test_search_of_many_words_is_cut_and_says_so(site, page, words):
    text = " ".join(f"w{number}" for number in range(words))

    response = site.get(f"/admin/{page}/", {"q": text})

    assert response.status_code == 200
    assert "Only this was searched: w0 w1 " in response.content.decode()


def test_autocomplete_of_many_words_answers(site):
    source = {"app_label": "cart", "model_name": "cartitem", "field_name": "book"}

    response = site.get("/admin/autocomplete/", source | {"term": " ".join(f"w{number}" for number in range(400))})

    assert (response.status_code, response.json()) == (200, {"results": [], "pagination": {"more": False}})
