"""A Content-Type may name any codec: at most a 4xx, and never a failed request."""

import json

import pytest

from tests.support.client import Client
from tests.support.server import running_server

# Django fails over these while it makes the request: over what the header itself is written in, or over the codec.
UNREADABLE = [
    "application/json; charset*=nonsense''utf-8",
    "application/json; charset*=undefined''%41",
    "application/json; x*0*=nonsense''a; x*1=b",
]
CODECS = [
    "application/json; charset*=utf-8''%00",
    "application/json; charset*=unicode_escape''%5cud800",
    "application/json; charset=undefined",
    "application/json; charset=hex",
    "application/json; charset=base64",
    "application/json; charset=rot13",
    "application/json; charset=zlib",
    "application/json; charset=punycode",
    "application/json; charset=idna",
    "application/json; charset=utf-16",
    "application/json; charset=latin-1",
]


@pytest.mark.parametrize("sent", UNREADABLE + CODECS)
@pytest.mark.parametrize("path", ["/health", "/health?q=caf%C3%A9", "/schema?x=1"])
def test_a_request_without_a_body_may_have_any_content_type(api, path, sent):
    assert api.get(path, headers={"Content-Type": sent}).status_code == 200


@pytest.mark.django_db
@pytest.mark.parametrize("sent", UNREADABLE)
@pytest.mark.parametrize("body", [b'{"email": "alice@example.com"}', b""])
def test_a_body_of_a_type_that_cannot_be_read_is_refused(api, sent, body):
    response = api.generic("POST", "/auth/login", body, content_type=sent)

    told = (415, "UNSUPPORTED_MEDIA_TYPE") if body else (422, "VALIDATION_ERROR")
    assert (response.status_code, response.json()["code"]) == told


@pytest.mark.django_db
@pytest.mark.parametrize("sent", CODECS)
def test_a_json_body_is_utf_8_whatever_codec_its_content_type_names(api, sent):
    body = {"email": "alice@example.com", "password": "café crème brûlée"}
    api.post("/auth/register", body)

    response = api.generic("POST", "/auth/login", json.dumps(body, ensure_ascii=False).encode(), content_type=sent)

    assert response.status_code == 200


@pytest.mark.django_db
@pytest.mark.parametrize("sent", CODECS)
def test_a_query_is_utf_8_whatever_codec_the_content_type_names(api, sent):
    response = api.get("/books?sort=caf%C3%A9", headers={"Content-Type": sent})

    assert '"café" is not one of ' in response.json()["detail"]


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_the_server_answers_every_content_type_with_an_id():
    answers = []

    with running_server(workers=1) as port, Client(port) as client:
        for sent in UNREADABLE + CODECS:
            answer = client("GET", "/health?q=1", content_type=sent)
            answers.append((answer.status, bool(answer.headers["X-Request-ID"])))

    assert answers == [(200, True)] * len(UNREADABLE + CODECS)
