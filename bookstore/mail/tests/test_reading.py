"""EMAIL_URL, EMAIL_FROM, STOREFRONT_URL and its paths: what is taken, and what stops the start."""

import random

import pytest

from bookstore.environment import BadValue
from bookstore.mail.reading import mail_server, path_with, sender, storefront, templates

SECRET = "s3cr3t-pa55"


@pytest.mark.parametrize(
    ("url", "host", "port", "user", "password", "starttls", "tls"),
    [
        ("smtp://shop:pw@mail.example", "mail.example", 587, "shop", "pw", True, False),
        (
            "smtp://shop%40x.example:p%2F%3A%40w@mail.example:25",
            "mail.example",
            25,
            "shop@x.example",
            "p/:@w",
            True,
            False,
        ),
        ("smtps://shop:pw@mail.example", "mail.example", 465, "shop", "pw", False, True),
        ("smtp+plain://127.0.0.1", "127.0.0.1", 25, "", "", False, False),
        ("smtp+plain://[::1]:2525/", "::1", 2525, "", "", False, False),
    ],
)
def test_mail_server_is_read(url, host, port, user, password, starttls, tls):
    assert mail_server(url) == {
        "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
        "EMAIL_HOST": host,
        "EMAIL_PORT": port,
        "EMAIL_HOST_USER": user,
        "EMAIL_HOST_PASSWORD": password,
        "EMAIL_USE_TLS": starttls,
        "EMAIL_USE_SSL": tls,
        "EMAIL_TIMEOUT": 10,
    }


def test_mail_is_printed_or_written_to_files():
    assert mail_server("") == {}
    assert mail_server("console:") == {"EMAIL_BACKEND": "django.core.mail.backends.console.EmailBackend"}
    assert mail_server("file:///var/mails") == {
        "EMAIL_BACKEND": "django.core.mail.backends.filebased.EmailBackend",
        "EMAIL_FILE_PATH": "/var/mails",
    }


@pytest.mark.parametrize(
    "url",
    [
        "mail.example",
        "http://mail.example",
        "smtp://",
        "smtp://:587",
        f"smtp://shop:{SECRET}@mail.example:port",
        f"smtp://shop:{SECRET}@mail.example:0",
        f"smtp://shop:{SECRET}@mail.example:99999",
        f"smtp://shop:{SECRET}/x@mail.example",
        f"smtp://shop:x#{SECRET}@mail.example",
        f"smtp://shop:x?{SECRET}@mail.example",
        f"smtp://shop@x.example:{SECRET}@mail.example",
        f"smtp://shop:x:{SECRET}@mail.example",
        f"smtp://{SECRET}@mail.example",
        f"smtp://:{SECRET}@mail.example",
        f"smtp://shop:{SECRET}@mail.example?tls=1",
        f"smtp://shop:{SECRET}@mail.example/inbox",
        f"smtp+plain://shop:{SECRET}@mail.example",
        f"smtp://shop:{SECRET}@mail.example ",
        f"smtp://shop:{SECRET}\n@mail.example",
        f"smtp://shop:{SECRET}@[mail.example",
        "file://relative",
        f"anymail+nobody:?api_key={SECRET}",
        f"anymail+../x:?api_key={SECRET}",
        f"anymail+:?api_key={SECRET}",
    ],
)
def test_bad_mail_server_is_refused_without_its_password(url):
    with pytest.raises(BadValue) as refused:
        mail_server(url)

    assert SECRET not in str(refused.value)
    assert refused.value.__suppress_context__ or refused.value.__context__ is None


def test_of_300_hostile_urls_none_tells_a_secret():
    chance = random.Random(7)
    for _ in range(300):
        noise = "".join(chance.choices("@:/?#%[]& \\\0é😀a", k=chance.randrange(6)))
        url = f"smtp{chance.choice(['', 's', '+plain'])}://shop:{noise}{SECRET}{noise}@mail.example{noise}"
        try:
            said = mail_server(url)["EMAIL_HOST"]
        except BadValue as refused:
            said = str(refused)
        assert SECRET not in said


@pytest.mark.parametrize("value", ["", "no-reply@shop.example", "The Bookshop <no-reply@shop.example>"])
def test_sender_is_read(value):
    assert sender(value) == value


@pytest.mark.parametrize("value", ["shop", "a@b@c", "a b@c", "Shop <a@b", "a@b\nBcc: c@d", "a@b, c@d"])
def test_bad_sender_is_refused(value):
    with pytest.raises(BadValue):
        sender(value)


def test_storefront_is_read_without_its_last_slash():
    assert storefront(" https://shop.example/de/ ") == "https://shop.example/de"


@pytest.mark.parametrize(
    "value",
    [
        *("shop.example", "javascript:alert(1)", "https://", "https://a/?b", "https://a/#b"),
        *("https://a:b", "https://a:99999", "https://[", "https://user:password@a"),
    ],
)
def test_bad_storefront_is_refused(value):
    with pytest.raises(BadValue):
        storefront(value)


def test_path_is_read():
    assert path_with("token", "/#/verify?token={token}") == "/#/verify?token={token}"


@pytest.mark.parametrize(
    "value",
    ["verify?token={token}", "/verify", "/{token}/{token}", "/{tok}", "/{token", "/{token!r}", "/{0}", "/ {token}"],
)
def test_bad_path_is_refused(value):
    with pytest.raises(BadValue):
        path_with("token", value)


def test_templates_are_a_directory(tmp_path):
    assert (templates(""), templates(str(tmp_path))) == ([], [str(tmp_path)])
    with pytest.raises(BadValue):
        templates(str(tmp_path / "nothing"))
