"""The device and address of a session, by which customers recognise their own sign-ins."""

from ipaddress import ip_network

from django.conf import settings
from django.http import HttpRequest
from rest_framework.request import Request

from bookstore.accounts.sessions import MAX_DEVICE_LENGTH
from bookstore.api.forwarded import address_of, client_of

# Bits of an address that SESSION_ADDRESS=network keeps, so that it tells the town, not the customer.
NETWORK = {4: 24, 6: 48}


def client(request: Request | HttpRequest) -> dict[str, str]:
    """For `LoginSession.objects.begin`."""
    return {"device": device_of(request), "address": kept_address(request)}


def device_of(request: Request | HttpRequest) -> str:
    """The User-Agent without unprintable characters."""
    sent = request.META.get("HTTP_USER_AGENT", "")[:MAX_DEVICE_LENGTH]
    return "".join(letter for letter in sent if letter.isprintable())


def kept_address(request: Request | HttpRequest) -> str:
    """The `full` address, its `network`, or "" (`off`), by SESSION_ADDRESS. Of IPv6 at most the /64."""
    client = client_of(request)
    if settings.SESSION_ADDRESS == "off":
        return ""
    address = address_of(client.partition("/")[0])
    if address is None or settings.SESSION_ADDRESS == "full":
        return client if address else ""
    return str(ip_network(f"{address}/{NETWORK[address.version]}", strict=False))
