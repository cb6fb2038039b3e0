"""Queueing, rendering and sending, against a mail server of this test and Django's backends."""

import smtplib

import pytest
from django.conf import settings as shop
from django.core import mail as django_mail
from django_tasks_db.models import DBTaskResult

from bookstore.mail import sending
from bookstore.mail.sending import NotSent, queue, rendered, send
from bookstore.mail.storefront import storefront_link
from bookstore.mail.tests import examples
from bookstore.tasks import GiveUp
from bookstore.tasks.worker import run_waiting

pytestmark = pytest.mark.django_db


@pytest.fixture
def templates(tmp_path, settings):
    """A shop's own directory of templates, with one mail."""
    folder = tmp_path / "mail" / "shop"
    folder.mkdir(parents=True)
    (folder / "hello.txt").write_text("Hello, {{ name }}\nTom & Jerry: {{ name }}\n")
    (folder / "hello.html").write_text(
        '{% extends "mail/base.html" %}{% block content %}<p>{{ name }}</p>{% endblock %}'
    )
    settings.TEMPLATES = [{**shop.TEMPLATES[0], "DIRS": [str(tmp_path)]}]
    return folder


def test_mail_has_subject_text_and_html(templates, settings):
    settings.DEFAULT_FROM_EMAIL = "The Bookshop <no-reply@shop.example>"

    send("alice@example.com", "shop/hello", {"name": "Alice & <Bob>"})

    [message] = django_mail.outbox
    assert (message.subject, message.body) == ("Hello, Alice & <Bob>", "Tom & Jerry: Alice & <Bob>\n")
    assert message.from_email == "The Bookshop <no-reply@shop.example>"
    [html] = message.alternatives
    assert html.mimetype == "text/html"
    assert "<p>Alice &amp; &lt;Bob&gt;</p>" in html.content
    assert message.message()["Auto-Submitted"] == "auto-generated"


def test_shop_overrides_a_template(templates):
    folder = templates.parent / "accounts"
    folder.mkdir()
    (folder / "reset_password.txt").write_text("Vergessen?\n{{ link }}\n")

    subject, body, html = rendered("accounts/reset_password", {"link": "https://shop.example/?a=1&b=2"})

    assert (subject, body) == ("Vergessen?", "https://shop.example/?a=1&b=2\n")
    assert "https://shop.example/?a=1&amp;b=2" in html  # the shop's own for what it did not override


def test_subject_has_no_second_line(templates):
    (templates / "hello.txt").write_text("{{ name }}\nText\n")

    send("alice@example.com", "shop/hello", {"name": "Hello\r\nBcc: eve@example.com"})

    assert django_mail.outbox[0].message()["Bcc"] is None


@pytest.mark.parametrize(
    ("error", "raised", "said"),
    [
        (
            smtplib.SMTPRecipientsRefused({"alice@example.com": (550, b"no")}),
            GiveUp,
            "The recipient was refused: [550]",
        ),
        (
            smtplib.SMTPRecipientsRefused({"alice@example.com": (450, b"no")}),
            NotSent,
            "The recipient was refused: [450]",
        ),
        (smtplib.SMTPDataError(554, b"spam to alice@example.com"), NotSent, "SMTPDataError 554"),
        (smtplib.SMTPServerDisconnected("alice@example.com"), NotSent, "SMTPServerDisconnected"),
        (ConnectionRefusedError("mail.example"), NotSent, "ConnectionRefusedError"),
        (TimeoutError(), NotSent, "TimeoutError"),
        (LookupError("a provider's error about alice@example.com"), NotSent, "LookupError"),
    ],
)
def test_refusal_is_retried_or_given_up_without_naming_anybody(templates, monkeypatch, error, raised, said):
    def refuse(message, *args):
        raise error

    monkeypatch.setattr(sending.EmailMultiAlternatives, "send", refuse)

    with pytest.raises(raised) as caught:
        send("alice@example.com", "shop/hello", {"name": "Alice"})

    assert (str(caught.value), caught.value.__suppress_context__) == (said, True)


def test_mail_waits_for_a_server_that_is_away(templates, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    queue(examples.greet, 1)

    run_waiting()
    waiting = DBTaskResult.objects.get()
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    DBTaskResult.objects.update(run_after=waiting.enqueued_at)
    run_waiting()

    assert (waiting.status, waiting.exception_class_path) == ("READY", "bookstore.mail.sending.NotSent")
    assert "reader1" not in waiting.traceback
    assert [message.to for message in django_mail.outbox] == [["reader1@example.com"]]


def test_mail_is_retried_with_growing_pauses_for_two_days():
    assert list(sending.PAUSES) == sorted(sending.PAUSES)
    assert sum(sending.PAUSES) > 2 * 24 * 3600 > sum(sending.PAUSES[:-2])


def test_mails_go_before_imports():
    assert examples.greet.priority > 0


def test_shop_without_mail_queues_none(settings):
    settings.SENDS_MAIL = False

    queue(examples.greet, 1)

    assert not DBTaskResult.objects.exists()


def test_link_is_a_page_of_the_storefront(settings):
    settings.STOREFRONT_URL = "https://shop.example/de"
    settings.STOREFRONT_PATHS = {"verify": "/verify-email?token={token}", "order": "/orders/{id}"}

    assert storefront_link("verify", token="7.a/b&c") == "https://shop.example/de/verify-email?token=7.a%2Fb%26c"
    assert storefront_link("order", id=42) == "https://shop.example/de/orders/42"
