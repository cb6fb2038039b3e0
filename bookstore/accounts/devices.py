"""The device and address of a session, by which customers recognise their own sign-ins."""

from django.conf import settings
from django.http import HttpRequest
from rest_framework.request import Request

from bookstore.accounts.sessions import MAX_DEVICE_LENGTH
from bookstore.api.forwarded import client_of, shortened


def client(request: Request | HttpRequest) -> dict[str, str]:
    """For `LoginSession.objects.begin`."""
    return {"device": device_of(request), "address": kept_address(request)}


def device_of(request: Request | HttpRequest) -> str:
    """The User-Agent without unprintable characters."""
    sent = request.META.get("HTTP_USER_AGENT", "")[:MAX_DEVICE_LENGTH]
    return "".join(letter for letter in sent if letter.isprintable())


def kept_address(request: Request | HttpRequest) -> str:
    """By SESSION_ADDRESS: the `full` address, its `network`, or none (`off`)."""
    return shortened(client_of(request), settings.SESSION_ADDRESS)
