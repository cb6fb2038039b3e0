"""GET /genres and POST /genres"""

import pytest

from catalog.models import Genre
from catalog.tests.answers import FORBIDDEN, NOBODY
from catalog.tests.factories import GenreFactory

pytestmark = pytest.mark.django_db

GENRE_TAKEN = {"detail": "There is a genre of this name already.", "code": "GENRE_CONFLICT", "field": "name"}


def test_get_genres_answers_200_with_all_of_them_by_name(api, django_assert_num_queries):
    satire, essays, myths = (GenreFactory(name=name) for name in ("satire", "Éssays", "Myths & Epics"))

    with django_assert_num_queries(1):
        response = api.get("/genres")

    assert response.status_code == 200
    assert response.json() == [
        {"id": essays.pk, "name": "Éssays"},
        {"id": myths.pk, "name": "Myths & Epics"},
        {"id": satire.pk, "name": "satire"},
    ]


def test_get_genres_of_an_empty_shop_answers_an_empty_list(api):
    response = api.get("/genres", headers={"Authorization": "Bearer nonsense"})

    assert response.status_code == 200
    assert response.json() == []


def test_post_genre_answers_201_with_the_genre(clerk):
    response = clerk("add_genre").post("/genres", {"name": " Science Fiction "})

    assert response.status_code == 201
    assert response.json() == {"id": Genre.objects.get().pk, "name": "Science Fiction"}


@pytest.mark.parametrize("name", ["Poésie", "poésie", "POESIE", "Poe\u0301sie", " Poésie"])
def test_post_genre_of_a_known_name_is_409_genre_conflict(owner, name):
    GenreFactory(name="Poésie")

    response = owner.post("/genres", {"name": name})

    assert response.status_code == 409
    assert response.json() == GENRE_TAKEN
    assert Genre.objects.count() == 1


def test_post_genre_that_differs_by_more_than_case_and_accents_is_201(owner):
    GenreFactory(name="C")

    response = owner.post("/genres", {"name": "C++"})

    assert response.status_code == 201


@pytest.mark.parametrize("name", [None, "", "  ", "G" * 101, 7, True, ["Novel"], "No\0vel"])
def test_post_genre_with_a_bad_name_is_422(owner, name):
    response = owner.post("/genres", {"name": name})

    assert response.status_code == 422
    assert response.json()["field"] == "name"


def test_post_genre_without_a_name_is_422(owner):
    response = owner.post("/genres", {})

    assert response.status_code == 422
    assert response.json()["errors"] == [{"field": "name", "code": "required", "detail": "This field is required."}]


def test_post_genre_without_a_token_is_401(api):
    response = api.post("/genres", {"name": "Novel"})

    assert response.status_code == 401
    assert response.json() == NOBODY


def test_post_genre_by_a_customer_is_403_auth_forbidden(customer):
    response = customer.post("/genres", {"name": "Novel"})

    assert response.status_code == 403
    assert response.json() == FORBIDDEN


def test_post_genre_by_staff_without_the_permission_is_403(clerk):
    response = clerk("change_genre", "add_book").post("/genres", {"name": "Novel"})

    assert response.status_code == 403
    assert response.json() == FORBIDDEN
