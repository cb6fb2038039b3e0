"""CORS_ALLOWED_ORIGINS and CORS_ALLOWED_HEADERS: valid values, and the origins that they allow."""

import pytest
from django.conf import settings as django_settings
from rest_framework.test import APIClient

from bookstore.api.origins import ALLOWED_HEADERS, DEVELOPMENT, headers, origins
from bookstore.environment import BadValue


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ("https://shop.example", "https://shop.example"),
        (" https://shop.example ", "https://shop.example"),
        ("HTTPS://Shop.Example", "https://shop.example"),
        ("https://shop.example:443", "https://shop.example"),
        ("http://shop.example:80", "http://shop.example"),
        ("https://shop.example:8443", "https://shop.example:8443"),
        ("http://localhost:5173", "http://localhost:5173"),
        ("http://[::1]:3000", "http://[::1]:3000"),
        ("https://xn--bcher-kva.example", "https://xn--bcher-kva.example"),
        ("capacitor://localhost", "capacitor://localhost"),
        ("ionic://localhost", "ionic://localhost"),
        ("tauri://localhost", "tauri://localhost"),
        ("chrome-extension://abcdefghijklmnop", "chrome-extension://abcdefghijklmnop"),
    ],
)
def test_origin_is_kept_as_a_browser_sends_it(written, sent):
    assert origins([written, ""]) == ([sent], [])


@pytest.mark.parametrize(
    "written",
    [
        *("*", "null", "shop.example", "//shop.example", "https://", "https:// shop.example", "file:///srv/shop"),
        *("https://shop.example/", "https://shop.example/path", "https://shop.example?x", "https://shop.example#x"),
        *(
            "https://ann@shop.example",
            "https://shop.example:port",
            "https://shop.example:0",
            "https://shop.example:99999",
        ),
        *("https://*", "https://*.example", "https://shop.*.example", "https://*.*.shop.example", "*://a.shop.example"),
        *("capacitor://*.shop.example", "https://bücher.example", "https://shop..example", "https://-shop-.example:"),
        *("javascript://x", "data://x", "https://[::1", "https://shop.example\\@evil.example"),
    ],
)
def test_origin_that_can_never_match_is_refused(written):
    with pytest.raises(BadValue, match="is no origin that a browser sends"):
        origins([written])


@pytest.mark.parametrize(
    ("pattern", "let_in", "kept_out"),
    [
        (
            "https://*.preview.example",
            ["https://pr-7.preview.example"],
            [
                *("https://preview.example", "http://pr-7.preview.example", "https://a.b.preview.example"),
                *("https://pr-7.preview.example.evil.example", "https://evil.example/.preview.example"),
                *("https://pr-7xpreview.example", "https://pr-7.preview.example:8443", "https://.preview.example"),
            ],
        ),
        (
            "https://shop-*-team.vercel.app",
            ["https://shop-7-team.vercel.app"],
            ["https://shop--team.vercel.app.evil.example", "https://other-7-team.vercel.app"],
        ),
        ("https://*.preview.example:8443", ["https://a.preview.example:8443"], ["https://a.preview.example"]),
    ],
)
def test_star_stands_for_a_part_of_the_first_name(pattern, let_in, kept_out):
    allowed = origins([pattern])

    assert [origin for origin in let_in if not allowed.allow(origin)] == []
    assert [origin for origin in kept_out if allowed.allow(origin)] == []


def preflight(origin, asked="authorization"):
    return APIClient().options(
        "/cart/items",
        headers={
            "Origin": origin,
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": asked,
        },
    )


@pytest.mark.parametrize("origin", ["capacitor://localhost", "https://pr-7.preview.example"])
def test_allowed_origin_may_ask(settings, origin):
    allowed = origins(["capacitor://localhost", "https://*.preview.example"])
    settings.CORS_ALLOWED_ORIGINS, settings.CORS_ALLOWED_ORIGIN_REGEXES = allowed

    answers = [preflight(origin), preflight("https://evil.example")]

    assert answers[0].headers["Access-Control-Allow-Origin"] == origin
    assert "Access-Control-Allow-Origin" not in answers[1].headers


def test_tracing_and_caching_headers_may_be_sent(settings):
    settings.CORS_ALLOWED_ORIGINS = ["https://shop.example"]

    allowed = preflight("https://shop.example").headers["Access-Control-Allow-Headers"].split(", ")

    usual = {"sentry-trace", "baggage", "traceparent", "x-requested-with", "cache-control", "idempotency-key"}
    assert set(allowed) == {*ALLOWED_HEADERS} >= usual
    told = {"ETag", "RateLimit", "RateLimit-Policy", "Retry-After", "X-Request-ID"}
    assert told <= set(django_settings.CORS_EXPOSE_HEADERS)


def test_further_headers_are_a_setting():
    assert headers([" X-Shop-Version ", "", "If-Match"]) == [*ALLOWED_HEADERS, "x-shop-version"]
    for bad in ("*", "a b", "x:", "é"):
        with pytest.raises(BadValue):
            headers([bad])


def test_development_ports_are_origins():
    assert origins(DEVELOPMENT).exact == DEVELOPMENT
