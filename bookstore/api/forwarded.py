"""The client's address and scheme, from trusted forwarding headers.

`believe` drops untrusted headers when a request is created; `client_of`, `request.is_secure()` and /metrics read the
others. WSGI gives `X_Forwarded_For` and `X-Forwarded-For` the same name, so a proxy must drop headers with an
underscore: nginx does by default, HAProxy by `http-request del-header _ -m sub` (deploy/cluster).
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.crypto import constant_time_compare
from rest_framework.request import Request

# Headers that proxies add.
ADDED_BY_PROXIES = (
    "HTTP_X_FORWARDED_FOR",
    "HTTP_X_FORWARDED_HOST",
    "HTTP_X_FORWARDED_PORT",
    "HTTP_X_FORWARDED_PROTO",
    "HTTP_FORWARDED",
    "HTTP_X_REAL_IP",
    "HTTP_VIA",
)
# The customer's address as sent by the storefront's server, and the secret that it must send.
CUSTOMER, SECRET = "HTTP_X_CUSTOMER_ADDRESS", "HTTP_X_STOREFRONT_SECRET"
BELIEVED = "bookstore.customer_address"  # a key of the environ that no header can set
# An IPv6 client usually has a whole /64: 2**64 addresses.
CLIENT_PREFIX = 64
# Characters of an address with its zone (`fe80::1%eth0`) and blanks; nothing longer is parsed, or cached.
LONGEST = 100
# Bits of an address that `network` keeps, by the IP version: about a town's worth of customers.
NETWORK = {4: 24, 6: 48}
# IPv6 in brackets, with or without a port; or IPv4 with one.
HOP = re.compile(r"\[([0-9A-Fa-f:.]+)\](?::[0-9]{1,5})?|([0-9.]+):[0-9]{1,5}", re.ASCII)

Address = IPv4Address | IPv6Address


def believe(environ: dict[str, Any]) -> None:
    """Drops the forwarding headers unless the peer is one of TRUSTED_PROXIES.

    X-Customer-Address is trusted with STOREFRONT_SECRET beside it, through any proxy.
    """
    peer = address_of(environ.get("REMOTE_ADDR", ""))
    if peer is None or not trusted(peer):
        for name in ADDED_BY_PROXIES:
            environ.pop(name, None)
    secret, customer = environ.pop(SECRET, ""), environ.pop(CUSTOMER, "")
    if settings.STOREFRONT_SECRET and constant_time_compare(secret, settings.STOREFRONT_SECRET):
        environ[BELIEVED] = customer


def is_direct(environ: dict[str, Any]) -> bool:
    """Whether the request came without a proxy. Call it before `believe`. A proxy that adds no header and is not one of
    TRUSTED_PROXIES looks like a client.
    """
    peer = address_of(environ.get("REMOTE_ADDR", ""))
    return peer is not None and not trusted(peer) and not any(name in environ for name in ADDED_BY_PROXIES)


def client_of(request: Request | HttpRequest) -> str:
    """`client_in` of a request."""
    return client_in(request.META)


def client_in(environ: Mapping[str, Any]) -> str:
    """The client's address, as it is counted and recorded; of IPv6 its /64. Call it after `believe`.

    The storefront's X-Customer-Address, if trusted; else the peer. If the peer is one of TRUSTED_PROXIES, the
    right-most address of X-Forwarded-For that is not one of them: the client may have sent those left of it.
    """
    peer = environ.get("REMOTE_ADDR", "")
    address = address_of(environ.get(BELIEVED, "")) or address_of(peer)
    if address is None:
        return str(peer)
    client = address
    if trusted(client):
        for hop in reversed(environ.get("HTTP_X_FORWARDED_FOR", "").split(",")):
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


@lru_cache(maxsize=1024)
def shortened(client: str, keep: str) -> str:
    """What is kept of an answer of `client_of`: the `full` address, its `network`, or nothing (`off`). An IPv6 client
    is its /64 at the most."""
    address = address_of(client.partition("/")[0])
    if address is None or keep == "off":
        return ""
    if keep == "full":
        return client
    return str(ip_network(f"{address}/{NETWORK[address.version]}", strict=False))


def without_port(hop: str) -> str:
    """Strips the client's port, which some proxies add (Azure's, IIS): `192.0.2.1:4711`, `[2001:db8::1]:4711`."""
    with_port = HOP.fullmatch(hop)
    return with_port[1] or with_port[2] if with_port else hop


def address_of(text: str) -> Address | None:
    """Parses an address; None if it is invalid. An IPv4-mapped IPv6 address (`::ffff:192.0.2.1`) becomes IPv4."""
    return parsed(text) if len(text) <= LONGEST else None


@lru_cache(maxsize=1024)
def parsed(text: str) -> Address | None:
    try:
        address = ip_address(text.strip())
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def trusted(address: Address) -> bool:
    return any(address in network for network in settings.TRUSTED_PROXIES)
