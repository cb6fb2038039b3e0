"""HTTP caching of the public catalogue: ETag, 304 and Cache-Control."""

import pytest
from django.contrib.auth import get_user_model
from django.db import OperationalError

from catalog.models import Book

pytestmark = pytest.mark.django_db

PUBLIC = ["/books", "/books?q=emma", "/books/{id}", "/genres"]


@pytest.fixture(params=PUBLIC)
def path(request, emma):
    return request.param.format(id=emma.pk)


def test_answer_has_an_etag_of_its_content(api, path, emma):
    first, again = api.get(path), api.get(path)
    Book.objects.filter(pk=emma.pk).update(price="11.00")
    changed = api.get(path)

    assert first.headers["ETag"] == again.headers["ETag"]
    assert first.headers["ETag"].startswith('"')
    assert (changed.headers["ETag"] != first.headers["ETag"]) == (changed.content != first.content)


@pytest.mark.parametrize("sent", ["{}", "W/{}", '"other", {}', "*"])
def test_who_holds_the_answer_gets_304(api, path, sent):
    tag = api.get(path).headers["ETag"]

    response = api.get(path, headers={"if-none-match": sent.format(tag)})

    assert (response.status_code, response.content) == (304, b"")
    assert (response.headers["ETag"], response.headers["Cache-Control"]) == (tag, "no-cache")
    assert "Content-Type" not in response.headers


def test_who_holds_another_answer_gets_it_whole(api, path):
    response = api.get(path, headers={"if-none-match": '"0123"'})

    assert response.status_code == 200


def test_head_answers_as_get_without_a_body(api, path):
    got, head = api.get(path), api.head(path)

    assert head.status_code == 200
    same = {"Content-Type", "Content-Length", "ETag", "Cache-Control", "Vary"}
    assert {name: head.headers[name] for name in same} == {name: got.headers[name] for name in same}


def test_without_the_setting_caches_must_ask(api, path):
    assert api.get(path).headers["Cache-Control"] == "no-cache"
    assert "X-Accel-Expires" not in api.get(path).headers


def test_with_the_setting_caches_may_keep_it_that_long(api, path, settings):
    settings.CATALOGUE_CACHE_SECONDS = 60

    response = api.get(path)

    assert response.headers["Cache-Control"] == ("public, max-age=60, stale-while-revalidate=1, stale-if-error=86400")
    assert response.headers["X-Accel-Expires"] == "58"
    assert response.headers["Vary"] == "Authorization, Cookie, origin"


def test_who_may_have_changed_it_is_never_answered_from_a_cache(api, client, path, settings):
    settings.CATALOGUE_CACHE_SECONDS = 60
    client.force_login(get_user_model().objects.create_superuser("olga@example.com", "a-password-of-olga"))

    with_token = api.get(path, headers={"authorization": "Bearer nonsense"})
    with_cookie = client.get(path)

    for response in (with_token, with_cookie):
        assert response.status_code == 200
        assert response.headers["Cache-Control"] == "private, no-store"
        assert "X-Accel-Expires" not in response.headers


@pytest.mark.parametrize(("path", "status"), [("/books/999999", 404), ("/books?page=0", 422), ("/books?sort=x", 422)])
def test_an_error_is_never_kept(api, db, settings, path, status):
    settings.CATALOGUE_CACHE_SECONDS = 60

    response = api.get(path)

    assert (response.status_code, response.headers["Cache-Control"]) == (status, "no-store")


def test_a_database_that_is_away_is_never_kept(api, db, settings, monkeypatch):
    def away(*arguments, **options):
        raise OperationalError("the connection was lost")

    settings.CATALOGUE_CACHE_SECONDS = 60
    monkeypatch.setattr("catalog.bodies.validated_query", away)

    response = api.get("/books")

    assert (response.status_code, response.headers["Cache-Control"]) == (503, "no-store")
