"""Reading environment variables: a missing or bad value stops the start with one line that names the variable."""

import os
import re
import sys
from collections.abc import Callable
from importlib.util import find_spec
from io import StringIO
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any, NoReturn

from dotenv import dotenv_values
from dotenv.parser import parse_stream
from environs import EnvError, EnvValidationError, validate

from bookstore.currencies import CODES

# A name, a leading dot for all its subdomains, an address, or `*`.
ALLOWED_HOST = re.compile(r"\*|\.?[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*\.?|\[[0-9A-Fa-f:.]+\]", re.ASCII)

# Of the staff's site: a scheme, a host, perhaps a port.
ORIGIN = re.compile(r"https?://(?:[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?", re.ASCII)

ENDPOINT = re.compile(r"https?://(?:[A-Za-z0-9]+@)?[A-Za-z0-9.:\[\]_-]+(?:/[A-Za-z0-9._/-]*)?", re.ASCII)


# Of DEBUG=1 only.
DEMO_KEY = "demo-secret-key-for-one-machine-only-0123456789-abcdefghij"
DEMO_SIGNING_KEY = "demo-signing-key-for-one-machine-only-0123456789"
LOOPBACK = ["localhost", "127.0.0.1", "[::1]"]


class BadValue(ValueError):
    """A value is refused. The message follows the variable's name."""


def stop(variable: str, reason: str) -> NoReturn:
    sys.exit(f"bookstore cannot start: {variable} {reason}.")


def read_file(path: Path) -> None:
    """Puts the variables of a .env file, if there is one, into the environment, which takes precedence: that is where
    `manage.py serve` and the processes that it starts read some of them. If the file cannot be read, or has a line that
    is no assignment, exits with one line that quotes nothing of it."""
    try:
        text = path.read_text("utf-8-sig")
    except FileNotFoundError:
        return
    except UnicodeDecodeError:
        stop(str(path), "is not UTF-8: save it as UTF-8, or write its comments without accents")
    except OSError as error:
        stop(str(path), f"cannot be read: {error.strerror}")
    for statement in parse_stream(StringIO(text)):
        if statement.error or "\0" in statement.original.string:
            written = statement.original.string
            blank = len(written) - len(written.lstrip())
            line = statement.original.line + len(written[:blank].splitlines())
            stop(f"line {line} of {path}", "is no assignment: write NAME=value, or quote it whole")
    for name, value in dotenv_values(stream=StringIO(text)).items():
        if value is not None:
            os.environ.setdefault(name, value)


def read(
    variable: str,
    reader: Callable[..., Any],
    *,
    check: Callable[[Any], Any] | None = None,
    debug: bool = False,
    debug_default: Any = None,
    **options: Any,
) -> Any:
    """The value of one variable. When it is missing or wrong, exits with one line that names it."""
    if debug_default is not None and debug:
        options.setdefault("default", debug_default)
    try:
        value = reader(variable, **options)
        return check(value) if check else value
    except BadValue as error:
        stop(variable, str(error))
    except EnvValidationError as error:
        stop(variable, f"is wrong: {' '.join(map(str, error.error_messages)).rstrip('.')}")
    except EnvError:
        stop(variable, "is not set; only DEBUG=1 gives it a default, and .env.example describes it")


def within(least: int, most: int) -> validate.Range:
    return validate.Range(min=least, max=most)


def one_of(*choices: str) -> validate.OneOf:
    return validate.OneOf(choices)


def if_set(check: Callable[[str], Any]) -> Callable[[str], Any]:
    """`check` for a variable that may be empty, which is then its value."""
    return lambda value: value and check(value)


def each(check: Callable[[str], Any]) -> Callable[[list[str]], list[Any]]:
    """`check` for each value of a list, without the empty ones."""
    return lambda values: [check(value) for value in values if value]


def key_of(minimum_bytes: int, *, debug: bool = False) -> Callable[[str], str]:
    """A check: a secret that is long and varied enough for signatures; the demo's needs DEBUG=1. Raises BadValue."""

    def strong(value: str) -> str:
        if len(value.encode()) < minimum_bytes:
            raise BadValue(f"is too short: {len(value.encode())} bytes, at least {minimum_bytes} are needed")
        if len(set(value)) < 5:
            raise BadValue("is too weak: it has fewer than 5 different characters")
        if value.startswith(("django-insecure-", "change-me")):
            raise BadValue("still has the value of an example")
        if value in {DEMO_KEY, DEMO_SIGNING_KEY} and not debug:
            raise BadValue("is the key of the demo, which everybody can read")
        return value

    return strong


def header_key_of(minimum_bytes: int) -> Callable[[str], str]:
    """The same for a secret that clients send in a header, which no other character reaches unchanged."""
    strong = key_of(minimum_bytes)

    def sent(value: str) -> str:
        if not (value.isascii() and value.isprintable() and value == value.strip()):
            raise BadValue("cannot be sent in a header: only ASCII can, and no blank at either end")
        return strong(value)

    return sent


def networks(values: list[str]) -> list[IPv4Network | IPv6Network]:
    """Parses addresses and CIDR blocks, such as `10.0.0.0/8` or `::1`. Raises BadValue."""
    try:
        return [ip_network(value.strip()) for value in values if value.strip()]
    except ValueError as error:
        raise BadValue(f"is wrong: {error}; write addresses or CIDR blocks, separated by commas") from error


def all_within(inner: list[IPv4Network | IPv6Network], outer: list[IPv4Network | IPv6Network]) -> bool:
    """Whether each of the inner networks is part of one of the outer ones."""
    return all(any(is_within(one, other) for other in outer) for one in inner)


def is_within(one: IPv4Network | IPv6Network, other: IPv4Network | IPv6Network) -> bool:
    if isinstance(one, IPv4Network):
        return isinstance(other, IPv4Network) and one.subnet_of(other)
    return isinstance(other, IPv6Network) and one.subnet_of(other)


def hosts(values: list[str]) -> list[str]:
    """Checks ALLOWED_HOSTS: a value that no Host header can equal would make every request a 400. Raises BadValue."""
    named = [value.strip() for value in values if value.strip()]
    for value in named:
        if not ALLOWED_HOST.fullmatch(value):
            raise BadValue(
                f"is wrong: {value!r} is no host; write shop.example (.shop.example for all below it, [::1] for IPv6), "
                "without scheme, port or path, separated by commas"
            )
    if not named:
        raise BadValue("is empty: name the hosts that clients call, separated by commas")
    return named


def trusted_origins(values: list[str]) -> list[str]:
    """Checks CSRF_TRUSTED_ORIGINS: http or https, a host, and perhaps a port. Raises BadValue."""
    values = [value.strip() for value in values if value.strip()]
    for value in values:
        if not ORIGIN.fullmatch(value):
            raise BadValue(
                f"is wrong: {value!r} is not an origin; write https://shop.example, without path or wildcard"
            )
    return values


def endpoint_for(package: str) -> Callable[[str], str]:
    """A check: an http or https URL that `package`, which must be installed, sends to. It raises BadValue, and never
    quotes the URL, which may hold a key."""

    def endpoint(url: str) -> str:
        if not ENDPOINT.fullmatch(url):
            raise BadValue("is no URL: write https://host/path")
        try:
            found = find_spec(package)
        except ModuleNotFoundError:
            found = None
        if found is None:
            raise BadValue("is set, but its packages are not installed: pip install -r requirements-observability.txt")
        return url

    return endpoint


def currency(value: str) -> str:
    """A code of ISO 4217. Raises BadValue."""
    if value not in CODES:
        raise BadValue(f"is wrong: {value!r} is no currency; write a code of ISO 4217 such as USD or EUR")
    return value


# Seconds of a period, by its usual names.
PERIODS = {
    **dict.fromkeys(("s", "sec", "second", "seconds"), 1),
    **dict.fromkeys(("m", "min", "minute", "minutes"), 60),
    **dict.fromkeys(("h", "hour", "hours"), 3600),
    **dict.fromkeys(("d", "day", "days"), 86400),
}
MOST_ATTEMPTS = 1_000_000_000  # below the limit of the counter's column


def rate(value: str) -> tuple[int, int] | None:
    """Parses `10/min` to (10 attempts, 60 seconds), and `off` to None. Raises BadValue."""
    if value == "off":
        return None
    count, _, period = value.partition("/")
    seconds = PERIODS.get(period.lower())
    if not (seconds and count.isascii() and count.isdigit() and 0 < int(count[:12]) <= MOST_ATTEMPTS):
        raise BadValue(f"is wrong: {value!r} is not a rate; write 10/min (or /s, /hour, /day), or off")
    return int(count), seconds
