"""The address by which a client is counted."""

from ipaddress import ip_network

import pytest

from bookstore.api.forwarded import believe, client_of, is_direct

PROXIES = ["10.0.0.0/8", "192.0.2.1", "2001:db8:ffff::/48"]


@pytest.mark.parametrize(
    ("peer", "forwarded", "counted"),
    [
        # The peer is not a trusted proxy: its headers are ignored.
        ("203.0.113.9", None, "203.0.113.9"),
        ("203.0.113.9", "198.51.100.1", "203.0.113.9"),
        ("203.0.113.9", "198.51.100.1, 10.0.0.1", "203.0.113.9"),
        # The peer is a trusted proxy: the right-most untrusted address counts.
        ("10.0.0.1", "198.51.100.1", "198.51.100.1"),
        ("192.0.2.1", " 198.51.100.1 ", "198.51.100.1"),
        ("10.0.0.1", "198.51.100.66, 198.51.100.1", "198.51.100.1"),
        ("10.0.0.1", "198.51.100.66,198.51.100.1,10.2.3.4,192.0.2.1", "198.51.100.1"),
        ("10.0.0.1", "10.9.9.9, 198.51.100.1, 10.2.3.4", "198.51.100.1"),
        # All are trusted: the first one is the client.
        ("10.0.0.1", "10.9.9.9, 10.2.3.4", "10.9.9.9"),
        # No header, or an invalid one: the peer.
        ("10.0.0.1", None, "10.0.0.1"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "unknown", "10.0.0.1"),
        ("10.0.0.1", "198.51.100.1, nonsense", "10.0.0.1"),
        ("10.0.0.1", "nonsense, 10.2.3.4", "10.0.0.1"),
        ("10.0.0.1", "nonsense, 198.51.100.1", "198.51.100.1"),
        ("10.0.0.1", "198.51.100.1,", "10.0.0.1"),
        ("10.0.0.1", "198.51.100.01", "10.0.0.1"),
        ("10.0.0.1", "1\0", "10.0.0.1"),
        ("10.0.0.1", "१.1.1.1", "10.0.0.1"),
        # Some proxies add the client's port.
        ("10.0.0.1", "198.51.100.1:4711", "198.51.100.1"),
        ("10.0.0.1", "198.51.100.1:4711, 10.2.3.4:80", "198.51.100.1"),
        ("10.0.0.1", "[2001:db8:1:2:3:4:5:6]:4711", "2001:db8:1:2::/64"),
        ("10.0.0.1", "[2001:db8:1:2:3:4:5:6]", "2001:db8:1:2::/64"),
        ("10.0.0.1", "[::ffff:198.51.100.1]:99", "198.51.100.1"),
        ("10.0.0.1", "198.51.100.66, [2001:db8:1:2::3]:4711 ,192.0.2.1:1", "2001:db8:1:2::/64"),
        # Similar to an address, but invalid: the peer.
        ("10.0.0.1", "198.51.100.1:", "10.0.0.1"),
        ("10.0.0.1", "198.51.100.1:http", "10.0.0.1"),
        ("10.0.0.1", "198.51.100.1:123456", "10.0.0.1"),
        ("10.0.0.1", "198.51.100.1:1:2", "10.0.0.1"),
        ("10.0.0.1", "[198.51.100.1]x", "10.0.0.1"),
        ("10.0.0.1", "[2001:db8::1", "10.0.0.1"),
        ("10.0.0.1", ":4711", "10.0.0.1"),
        # IPv6 counts by its /64; an IPv4-mapped IPv6 address is IPv4.
        ("2001:db8:1:2:3:4:5:6", None, "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::1", None, "2001:db8:1:2::/64"),
        ("2001:db8:ffff::1", "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:ffff::1", "198.51.100.1", "198.51.100.1"),
        ("::ffff:203.0.113.9", None, "203.0.113.9"),
        ("::ffff:10.0.0.1", "198.51.100.1", "198.51.100.1"),
        ("10.0.0.1", "::ffff:198.51.100.1", "198.51.100.1"),
        ("10.0.0.1", "198.51.100.1, ::ffff:10.2.3.4", "198.51.100.1"),
        ("::1", None, "::/64"),
        ("fe80::1%eth0", None, "fe80::/64"),
        # A server on a Unix socket has no peer address.
        ("", "198.51.100.1", ""),
        ("unix:", None, "unix:"),
    ],
)
def test_client_is_counted_under(rf, settings, peer, forwarded, counted):
    settings.TRUSTED_PROXIES = [ip_network(proxy) for proxy in PROXIES]
    headers = {} if forwarded is None else {"HTTP_X_FORWARDED_FOR": forwarded}

    assert client_of(rf.post("/auth/login", REMOTE_ADDR=peer, **headers)) == counted


def test_without_proxies_the_header_is_never_believed(rf, settings):
    settings.TRUSTED_PROXIES = []
    request = rf.post("/auth/login", REMOTE_ADDR="127.0.0.1", HTTP_X_FORWARDED_FOR="198.51.100.1")

    assert client_of(request) == "127.0.0.1"


FROM_A_PROXY = {
    "HTTP_X_FORWARDED_FOR": "198.51.100.1",
    "HTTP_X_FORWARDED_PROTO": "https",
    "HTTP_X_FORWARDED_HOST": "shop.example",
    "HTTP_FORWARDED": "for=198.51.100.1",
    "HTTP_X_REAL_IP": "198.51.100.1",
    "HTTP_VIA": "1.1 proxy",
}


@pytest.mark.parametrize(("peer", "believed"), [("10.0.0.1", True), ("203.0.113.9", False), ("", False)])
def test_headers_of_proxies_count_from_trusted_peers_only(settings, peer, believed):
    settings.TRUSTED_PROXIES = [ip_network("10.0.0.0/8")]
    environ = {"REMOTE_ADDR": peer, **FROM_A_PROXY}

    believe(environ)

    assert environ == {"REMOTE_ADDR": peer, **(FROM_A_PROXY if believed else {})}


@pytest.mark.parametrize(("peer", "secure"), [("127.0.0.1", True), ("203.0.113.9", False)])
def test_scheme_is_believed_from_trusted_peers_only(client, settings, peer, secure):
    """A forged header must not cause HSTS over http, which a browser would keep for a year."""
    settings.TRUSTED_PROXIES = [ip_network("127.0.0.1")]
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

    response = client.get("/health", REMOTE_ADDR=peer, HTTP_X_FORWARDED_PROTO="https")

    assert response.wsgi_request.is_secure() is secure


def test_request_is_direct_that_no_proxy_has_touched(settings):
    settings.TRUSTED_PROXIES = [ip_network("10.0.0.1")]

    assert is_direct({"REMOTE_ADDR": "127.0.0.1"})
    assert not is_direct({"REMOTE_ADDR": "10.0.0.1"})
    assert [is_direct({"REMOTE_ADDR": "127.0.0.1", name: value}) for name, value in FROM_A_PROXY.items()] == [False] * 6


STOREFRONT = "a-secret-of-the-storefront-0123456789"


@pytest.mark.parametrize(
    ("secret", "customer", "counted"),
    [
        (STOREFRONT, "198.51.100.1", "198.51.100.1"),
        (STOREFRONT, "2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
        (STOREFRONT, "nonsense", "203.0.113.9"),
        (STOREFRONT, None, "203.0.113.9"),
        (STOREFRONT[:-1], "198.51.100.1", "203.0.113.9"),
        (None, "198.51.100.1", "203.0.113.9"),
        ("", "198.51.100.1", "203.0.113.9"),
    ],
)
def test_storefronts_server_names_its_customer(rf, settings, secret, customer, counted):
    settings.STOREFRONT_SECRET = STOREFRONT
    sent = {"HTTP_X_STOREFRONT_SECRET": secret, "HTTP_X_CUSTOMER_ADDRESS": customer}
    request = rf.post("/auth/login", REMOTE_ADDR="203.0.113.9", **{name: text for name, text in sent.items() if text})

    assert client_of(request) == counted
    assert "HTTP_X_STOREFRONT_SECRET" not in request.META


def test_without_a_secret_nobody_names_a_customer(rf, settings):
    settings.STOREFRONT_SECRET = ""
    sent = {"HTTP_X_STOREFRONT_SECRET": "", "HTTP_X_CUSTOMER_ADDRESS": "198.51.100.1"}
    request = rf.post("/auth/login", REMOTE_ADDR="203.0.113.9", **sent)

    assert client_of(request) == "203.0.113.9"
