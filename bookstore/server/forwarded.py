"""Who is the client, and by which scheme: which headers about it count, for all that ask.

`believe` runs when a request is made and drops what nobody may say; `client_of`, `request.is_secure()` and /metrics
read what is left. WSGI gives `X_Forwarded_For` and `X-Forwarded-For` one name, so a proxy must not hand on headers with
an underscore: nginx drops them by itself, HAProxy does by `http-request del-header _ -m sub` (deploy/cluster).
"""

import re
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.crypto import constant_time_compare
from rest_framework.request import Request

# What a proxy adds to a request that it hands on.
ADDED_BY_PROXIES = (
    "HTTP_X_FORWARDED_FOR",
    "HTTP_X_FORWARDED_HOST",
    "HTTP_X_FORWARDED_PORT",
    "HTTP_X_FORWARDED_PROTO",
    "HTTP_FORWARDED",
    "HTTP_X_REAL_IP",
    "HTTP_VIA",
)
# What a storefront's server says of its customer, and the secret that it has for it.
CUSTOMER, SECRET = "HTTP_X_CUSTOMER_ADDRESS", "HTTP_X_STOREFRONT_SECRET"
BELIEVED = "bookstore.customer_address"  # of the environ, where no header comes
# An address with a client behind it has a /64 of IPv6 to itself, and would else be counted as 2**64 clients.
CLIENT_PREFIX = 64
# IPv6 in brackets, with or without a port; or IPv4 with one.
HOP = re.compile(r"\[([0-9A-Fa-f:.]+)\](?::[0-9]{1,5})?|([0-9.]+):[0-9]{1,5}", re.ASCII)

Address = IPv4Address | IPv6Address


def believe(environ: dict[str, Any]) -> None:
    """Drops the headers about the client that its peer may not send: all but those of TRUSTED_PROXIES.

    X-Customer-Address counts with STOREFRONT_SECRET beside it, through any proxy.
    """
    peer = address_of(environ.get("REMOTE_ADDR", ""))
    if peer is None or not trusted(peer):
        for name in ADDED_BY_PROXIES:
            environ.pop(name, None)
    secret, customer = environ.pop(SECRET, ""), environ.pop(CUSTOMER, "")
    if settings.STOREFRONT_SECRET and constant_time_compare(secret, settings.STOREFRONT_SECRET):
        environ[BELIEVED] = customer


def is_direct(environ: dict[str, Any]) -> bool:
    """Whether no proxy has handed this on: asked before `believe`. A proxy that adds no header, and is none of
    TRUSTED_PROXIES, cannot be told from a client.
    """
    peer = address_of(environ.get("REMOTE_ADDR", ""))
    return peer is not None and not trusted(peer) and not any(name in environ for name in ADDED_BY_PROXIES)


def client_of(request: Request | HttpRequest) -> str:
    """The address that a client is counted under; an IPv6 client is its /64. Behind `believe`.

    It is the one that the storefront's server names. Else it is the peer's, unless the peer is one of TRUSTED_PROXIES:
    then it is the right-most of X-Forwarded-For that is none of them. What stands left of that was written by the
    client, who may write anything.
    """
    peer = request.META.get("REMOTE_ADDR", "")
    address = address_of(request.META.get(BELIEVED, "")) or address_of(peer)
    if address is None:
        return str(peer)
    client = address
    if trusted(client):
        for hop in reversed(request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")):
            named = address_of(without_port(hop.strip()))
            if named is None:
                client = address
                break
            client = named
            if not trusted(client):
                break
    if isinstance(client, IPv6Address):
        return str(IPv6Network((int(client), CLIENT_PREFIX), strict=False))
    return str(client)


def without_port(hop: str) -> str:
    """Some proxies (Azure's, IIS) add the client's port: `192.0.2.1:4711`, `[2001:db8::1]:4711`. Else as it is."""
    with_port = HOP.fullmatch(hop)
    return with_port[1] or with_port[2] if with_port else hop


def address_of(text: str) -> Address | None:
    """None for what is no address. An IPv4 address may come in the clothes of IPv6 (`::ffff:192.0.2.1`)."""
    try:
        address = ip_address(text.strip())
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def trusted(address: Address) -> bool:
    return any(address in network for network in settings.TRUSTED_PROXIES)
