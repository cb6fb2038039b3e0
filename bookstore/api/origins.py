"""Parses CORS_ALLOWED_ORIGINS: the origins of storefronts in a browser.

The settings import it: it imports nothing of Django.
"""

import re
from typing import NamedTuple
from urllib.parse import urlsplit

from bookstore.environment import BadValue

# Schemes of apps, such as capacitor://localhost or tauri://localhost, beside http and https.
SCHEME = re.compile(r"[a-z][a-z0-9+.-]*", re.ASCII)
# Schemes that are never an origin: pages from files or scripts have the origin "null".
OPAQUE = frozenset({"file", "data", "blob", "about", "javascript"})
LABEL = r"[a-z0-9]([a-z0-9_-]*[a-z0-9])?"
HOST = re.compile(rf"{LABEL}(\.{LABEL})*|\[[0-9a-f:.]+\]", re.ASCII)
# A star in the first label, before at least two other labels.
PATTERN = re.compile(rf"[a-z0-9_-]*\*[a-z0-9_-]*(\.{LABEL}){{2,}}", re.ASCII)
DEFAULT_PORTS = {"http": 80, "https": 443}
# The development servers of React and Next, Vite, Angular, Vue, Expo.
DEVELOPMENT_PORTS = (3000, 3001, 4173, 4200, 5173, 8080, 8081)
DEVELOPMENT = [f"http://{host}:{port}" for host in ("localhost", "127.0.0.1") for port in DEVELOPMENT_PORTS]


class Origins(NamedTuple):
    exact: list[str]
    patterns: list[str]  # anchored regular expressions

    def allow(self, origin: str) -> bool:
        return origin in self.exact or any(re.match(pattern, origin) for pattern in self.patterns)


def origins(values: list[str]) -> Origins:
    """Normalises origins to the form of browsers: `https://shop.example`, `capacitor://localhost`, `https://*.preview.example`.

    Strips blanks and default ports, and lowers capitals. Raises BadValue for an origin that no browser sends.
    """
    found = Origins([], [])
    for written in values:
        value = written.strip().lower()
        if not value:
            continue
        scheme, host, port = parts_of(value, written)
        if "*" in host:
            if scheme not in DEFAULT_PORTS or not PATTERN.fullmatch(host):
                raise refused(written, "a star stands for a part of the first name, as in https://*.preview.example")
            label = re.escape(host).replace(r"\*", "[a-z0-9-]+")
            found.patterns.append(rf"{scheme}://{label}{port}\Z")
        else:
            found.exact.append(f"{scheme}://{host}{port}")
    return found


def parts_of(value: str, written: str) -> tuple[str, str, str]:
    """Scheme, host, and `:port` if it is not the scheme's default."""
    try:
        parts = urlsplit(value)
        scheme, host, number = parts.scheme, parts.netloc, parts.port
    except ValueError as error:
        raise refused(written, "its host or port cannot be read") from error
    if not SCHEME.fullmatch(scheme) or scheme in OPAQUE or not host:
        raise refused(written, "write a scheme and a host, as in https://shop.example")
    if value != f"{scheme}://{host}":
        raise refused(written, "leave out the path, the last slash and all behind them")
    if number is not None:
        host = host.removesuffix(f":{parts.netloc.rpartition(':')[2]}")
    if not host.isascii():
        raise refused(written, "write the host as browsers send it, in Punycode (xn--…)")
    if "*" not in host and not HOST.fullmatch(host):
        raise refused(written, "its host is none")
    if number == 0:
        raise refused(written, "its port is none")
    return scheme, host, "" if number is None or DEFAULT_PORTS.get(scheme) == number else f":{number}"


def refused(written: str, why: str) -> BadValue:
    return BadValue(f"is wrong: {written.strip()!r} is no origin that a browser sends; {why}")


TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", re.ASCII)  # RFC 9110, 5.6.2
ALLOWED_HEADERS = [
    *("accept", "authorization", "content-type", "if-match", "if-none-match", "x-request-id"),
    *("baggage", "sentry-trace", "traceparent", "tracestate"),  # headers that tracing adds to every call
    *("cache-control", "pragma", "x-requested-with", "idempotency-key"),
]


def headers(values: list[str]) -> list[str]:
    """The headers that a storefront may send: these, and the usual ones. Raises BadValue."""
    names = [value.strip().lower() for value in values if value.strip()]
    for name in names:
        if name == "*" or not TOKEN.fullmatch(name):
            raise BadValue(f"is wrong: {name!r} is not the name of a header")
    return [*ALLOWED_HEADERS, *(name for name in names if name not in ALLOWED_HEADERS)]
