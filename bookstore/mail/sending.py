"""Queueing, rendering and sending one mail. The package's docstring shows how an app uses these."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template import Context, engines

from bookstore.tasks import GiveUp, retried, task

# Seconds between attempts: growing, then hourly for two days, as mail servers retry.
PAUSES = (10, 60, 600, *[3600] * 48)
PRIORITY = 10  # before imports, which are queued with 0


class NotSent(Exception):
    """The mail server did not accept the mail. The message has no address, because it is stored with the task."""


def mail(function: Callable[..., None]) -> Any:
    """Turns a function that sends one mail into a task, which is retried for two days and may run twice."""
    return task(priority=PRIORITY)(retried(*PAUSES)(function))


def queue(of_mail: Any, *arguments: int | str) -> None:
    """Queues a mail in the caller's transaction: one INSERT; none without EMAIL_URL."""
    if settings.SENDS_MAIL:
        of_mail.enqueue(*arguments)


def send(to: str, template: str, context: dict[str, Any]) -> None:
    """Renders mail/<template>.txt and .html and sends them. Only tasks call it: it waits for the mail server.

    Raises NotSent, and GiveUp when the server refuses this recipient for good.
    """
    from smtplib import SMTPRecipientsRefused, SMTPResponseException  # here: only the task process sends mails

    subject, body, html = rendered(template, context)
    message = EmailMultiAlternatives(subject, body, to=[to], headers={"Auto-Submitted": "auto-generated"})
    message.attach_alternative(html, "text/html")
    try:
        message.send()
    except SMTPRecipientsRefused as error:
        codes = [code for code, _ in error.recipients.values()]
        raise (GiveUp if min(codes, default=0) >= 500 else NotSent)(f"The recipient was refused: {codes}") from None
    except SMTPResponseException as error:
        raise NotSent(f"{type(error).__name__} {error.smtp_code}") from None
    except Exception as error:  # whatever the backend raises: its text may name the recipient
        raise NotSent(type(error).__name__) from None


def rendered(template: str, context: dict[str, Any]) -> tuple[str, str, str]:
    """Subject, text and HTML. Only the HTML is escaped."""
    django: Any = engines["django"]
    plain = django.get_template(f"mail/{template}.txt").template
    subject, _, body = plain.render(Context(context, autoescape=False)).strip().partition("\n")
    html = django.get_template(f"mail/{template}.html").render(context)
    return subject.strip(), body.strip() + "\n", html
