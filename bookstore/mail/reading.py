"""Parses the settings of mail: EMAIL_URL and the links to the storefront."""

import re
from email.utils import formataddr, parseaddr
from importlib.util import find_spec
from pathlib import Path
from string import Formatter
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from bookstore.database.from_url import CONTROLS
from bookstore.environment import BadValue

FORMS = "write smtp://user:password@host:587, smtps://…:465, console: or file:///directory"
ENCODE = "with / as %2F, ? as %3F, # as %23, @ as %40, : as %3A and a blank as %20 in user and password"
# Port, STARTTLS, TLS from the first byte.
SCHEMES = {"smtp": (587, True, False), "smtps": (465, False, True), "smtp+plain": (25, False, False)}
HOST = re.compile(r"[A-Za-z0-9._-]+|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*", re.ASCII)
TIMEOUT = 10  # seconds, for each step of the conversation with the mail server


def mail_server(url: str) -> dict[str, Any]:
    """Django's settings for sending mail by this URL; {} for none, when the shop sends no mail.

    `smtp` uses STARTTLS, `smtps` TLS from the first byte, `smtp+plain` neither, and allows no password.
    `anymail+PROVIDER:?name=value` is django-anymail's backend of that provider, with its settings of these names.
    Raises BadValue, never with a part of the URL that may be a secret.
    """
    if not url:
        return {}
    if url != url.strip() or CONTROLS.search(url) or " " in url:
        raise BadValue("has a blank, a line break or an invisible character")
    scheme, _, rest = url.partition(":")
    if scheme == "console":
        return {"EMAIL_BACKEND": "django.core.mail.backends.console.EmailBackend"}
    if scheme == "file":
        folder = rest.removeprefix("//")
        if not folder.startswith("/"):
            raise BadValue("names no directory: write file:///absolute/directory")
        return {"EMAIL_BACKEND": "django.core.mail.backends.filebased.EmailBackend", "EMAIL_FILE_PATH": folder}
    if scheme.startswith("anymail+"):
        return provider(scheme.removeprefix("anymail+"), rest)
    if scheme not in SCHEMES:
        raise BadValue(f"names no mail server: {FORMS}")
    return smtp(scheme, url)


def smtp(scheme: str, url: str) -> dict[str, Any]:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:  # its message, and a traceback, may contain a part of the URL
        raise BadValue(f"is not a URL: {FORMS}, {ENCODE}") from None
    account = parts.netloc.rpartition("@")[0]
    if not HOST.fullmatch(host) or port == 0 or "@" in account or account.count(":") > 1:
        raise BadValue(f"names no host and port: {FORMS}, {ENCODE}")
    if parts.path not in ("", "/") or "?" in url or "#" in url:
        raise BadValue(f"has something after the port: {FORMS}, {ENCODE}")
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    if bool(user) != bool(password):
        raise BadValue("has a user or a password without the other")
    usual_port, starttls, tls = SCHEMES[scheme]
    if password and not (starttls or tls):
        raise BadValue("would send its password readably: write smtp:// or smtps://")
    return {
        "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
        "EMAIL_HOST": host,
        "EMAIL_PORT": port or usual_port,
        "EMAIL_HOST_USER": user,
        "EMAIL_HOST_PASSWORD": password,
        "EMAIL_USE_TLS": starttls,
        "EMAIL_USE_SSL": tls,
        "EMAIL_TIMEOUT": TIMEOUT,
    }


def provider(name: str, rest: str) -> dict[str, Any]:
    if not name.isidentifier() or not find_spec("anymail") or not find_spec(f"anymail.backends.{name}"):
        raise BadValue("names a provider that django-anymail does not have, or django-anymail is not installed")
    values = dict(parse_qsl(rest.removeprefix("//").removeprefix("?")))
    return {
        "EMAIL_BACKEND": f"anymail.backends.{name}.EmailBackend",
        "ANYMAIL": {f"{name}_{key}".upper(): value for key, value in values.items()} | {"REQUESTS_TIMEOUT": TIMEOUT},
    }


def storefront(url: str) -> str:
    """The storefront's address, without a trailing slash."""
    url = url.strip().rstrip("/")
    try:
        parts = urlsplit(url)
        is_wrong = parts.scheme not in ("http", "https") or not parts.hostname or parts.port == 0
    except ValueError:  # a port that is no number, or half of an IPv6 address
        parts, is_wrong = urlsplit(""), True
    # A user or a password would be in every mail.
    if url and (is_wrong or parts.query or parts.fragment or "@" in parts.netloc):
        raise BadValue("is wrong: write https://shop.example, with a path if the storefront has one")
    return url


def path_with(name: str, value: str) -> str:
    """A template of a path of the storefront, such as `/verify?token={token}`: it has `{name}` and no other field."""
    try:
        fields = [field for _, field, spec, conversion in Formatter().parse(value) if field is not None]
        plain = all(not spec and not conversion for _, _, spec, conversion in Formatter().parse(value))
    except ValueError:
        fields, plain = [], False
    if not value.startswith("/") or fields != [name] or not plain or CONTROLS.search(value) or " " in value:
        raise BadValue(f"is wrong: write a path that begins with / and has {{{name}}} once")
    return value


def sender(value: str) -> str:
    """`no-reply@shop.example`, or with a name: `The Bookshop <no-reply@shop.example>`."""
    name, address = parseaddr(value)
    if value and (
        CONTROLS.search(value) or address.count("@") != 1 or " " in address or value != formataddr((name, address))
    ):
        raise BadValue("is wrong: write no-reply@shop.example or The Bookshop <no-reply@shop.example>")
    return value


def templates(folder: str) -> list[str]:
    if folder and not Path(folder).is_dir():
        raise BadValue("names no directory: its mail/accounts/verify_email.txt, say, is used in place of the shop's")
    return [folder] if folder else []
