"""Lists of the admin: bounded, in pages, without a full count."""

import re

import pytest

from bookstore.accounts import finding
from bookstore.accounts.models import User
from bookstore.accounts.tests.factories import UserFactory
from bookstore.admin import lists as admin_lists

pytestmark = pytest.mark.django_db

USERS = "/admin/accounts/user/"


@pytest.fixture
def readers(db):
    """101 of them: with Olga two pages and two users."""
    return User.objects.bulk_create(User(email=f"reader{number:03}@example.com") for number in range(101))


def emails(response):
    assert response.status_code == 200
    return [user.email for user in response.context["cl"].result_list]


def test_pages_follow_each_other_in_order(staff, readers):
    pages = [emails(staff.get(USERS, {"p": page})) for page in (1, 2, 3)]

    assert [len(page) for page in pages] == [50, 50, 2]
    assert sum(pages, []) == sorted(["olga@example.com", *(reader.email for reader in readers)])  # noqa: RUF017  # three short lists


@pytest.mark.parametrize("page", ["4", "0", "-1", "x"])
def test_page_that_is_not_there_leads_back_to_the_list(staff, readers, page):
    response = staff.get(USERS, {"p": page}, follow=True)

    assert response.status_code == 200


def test_all_of_a_short_list_are_shown_at_once(staff, readers):
    assert len(emails(staff.get(USERS, {"all": ""}))) == 102


def test_list_beyond_the_bound_is_cut_and_says_so(staff, readers, monkeypatch):
    monkeypatch.setattr(admin_lists, "MAX_LISTED", 60)

    response = staff.get(USERS, {"p": 2})

    assert len(emails(response)) == 10
    assert "Search or filter to see the others." in response.content.decode()
    assert response.context["cl"].is_cut


def test_list_within_the_bound_tells_its_number(staff):
    UserFactory(email="alice@example.com")

    page = " ".join(staff.get(USERS).content.decode().split())

    assert "2 users" in page
    assert "More than" not in page


@pytest.mark.parametrize(
    ("most", "asked", "told"),
    [(60, {}, None), (60, {"q": "reader"}, "More than 60 found"), (500, {"q": "reader"}, "101 found"), (500, {}, None)],
)
def test_a_search_tells_its_number_and_the_way_back(staff, readers, monkeypatch, most, asked, told):
    monkeypatch.setattr(admin_lists, "MAX_LISTED", most)
    monkeypatch.setattr(admin_lists.BoundedChangeList, "max_listed", most)

    page = " ".join(staff.get(USERS, asked).content.decode().split())

    found = re.findall(r'<span class="small quiet">([^<]*) \(<a href="\?">Show all</a>\)</span>', page)
    assert found == ([told] if told else [])


def test_choices_are_not_counted(staff, readers):
    response = staff.get(USERS, {"_facets": "True"})

    assert "Show counts" not in response.content.decode()
    assert response.context["cl"].add_facets is False


@pytest.mark.parametrize(
    ("text", "found"), [("READER07", 10), ("reader", 50), ("07@", 1), ("olga", 1), ("x", 50), ("y", 0)]
)
def test_users_are_searched_by_any_part_of_their_email(staff, readers, text, found):
    assert len(emails(staff.get(USERS, {"q": text}))) == found


def test_search_in_the_middle_of_emails_is_bounded_and_says_so(staff, readers, monkeypatch):
    monkeypatch.setattr(finding, "NEWEST", 10)

    inside = staff.get(USERS, {"q": "eader1"})
    beginning = staff.get(USERS, {"q": "reader00"})

    assert [email[:9] for email in emails(inside)] == ["reader100"]
    assert len(emails(beginning)) == 10
    assert "Beyond the beginning of the email, the newest" in inside.content.decode()
