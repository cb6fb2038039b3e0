"""`manage.py check_proxy`: see its help."""

import json
import ssl
from argparse import ArgumentParser
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from itertools import product
from typing import Any
from urllib.parse import urlsplit

from django.core.management.base import BaseCommand, CommandError

from bookstore.api.forwarded import address_of, trusted
from bookstore.server.proxy_check import QUESTION, SEEN, question

TIMEOUT = 10  # seconds
FORGED = "192.0.2.77"  # an address that is nobody's (RFC 5737)


def spellings(name: str) -> list[str]:
    """A header's name with each of its hyphens as it is, or as an underscore: to the application all are one name."""
    first, *others = name.split("-")
    return ["".join([first, *parts]) for parts in product(*([f"-{word}", f"_{word}"] for word in others))]


class Command(BaseCommand):
    help = (
        "Ask /health through the proxies, as a customer does, and say whether the application takes what a customer "
        "claims for what the proxies say: the address (X-Forwarded-For, X_Forwarded_For), https, /metrics. Run it "
        "where the server runs, with its environment; nothing is changed. Exits with 1 when something is wrong."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("url", metavar="URL", help="of the shop as customers reach it: https://shop.example")
        parser.add_argument("--source", metavar="ADDRESS", help="of this machine, to connect from")

    def handle(self, *args: Any, url: str, source: str | None, **options: Any) -> None:
        self.source = (source, 0) if source else None
        try:
            self.url = urlsplit(url)
            is_address = self.url.scheme in ("http", "https") and self.url.hostname and self.url.port != 0
        except ValueError:  # a port that is no number, or half of an IPv6 address
            is_address = False
        if not is_address:
            raise CommandError(f"{url!r} is no address of a shop: write https://shop.example, say.")
        honest = self.seen({})
        counted = address_of(honest["address"].partition("/")[0])
        if counted and trusted(counted):
            raise CommandError(
                f"This machine connects from {counted}, which TRUSTED_PROXIES names: what it claims is believed. "
                "Connect from another address (--source), or run this elsewhere, with the server's environment."
            )
        self.stdout.write(f"The application counts this request under the address {honest['address']}.")
        wrong = [*self.wrong_addresses(honest["address"]), *self.wrong_scheme(honest["https"]), *self.open_metrics()]
        for line in wrong:
            self.stdout.write(f"WRONG: {line}")
        if wrong:
            raise CommandError("A customer can pass for another. docs/running.md, “In front of it”, has the settings.")
        self.stdout.write("What a customer claims is not believed.")

    def wrong_addresses(self, honest: str) -> Iterator[str]:
        for name in spellings("X-Forwarded-For"):
            # With a Content-Type first, the server puts the last header, a proxy's, before this one.
            for before in ({}, {"Content-Type": "application/json"}):
                if self.seen({**before, name: FORGED})["address"] != honest:
                    yield f"{name} of a customer is taken for the address: let the proxy drop it."
                    break

    def wrong_scheme(self, https: bool) -> Iterator[str]:
        if self.url.scheme == "https" and not https:
            yield "https is not seen: the proxy must send X-Forwarded-Proto, and TRUSTED_PROXIES must name it."
        if self.url.scheme == "http":
            for name in spellings("X-Forwarded-Proto"):
                if self.seen({name: "https"})["https"]:
                    yield f"{name} of a customer is taken for https: let the proxy drop it."

    def open_metrics(self) -> Iterator[str]:
        if self.ask("/metrics", {})[0] == 200:
            yield "/metrics is open to customers: name the proxy in TRUSTED_PROXIES, or set METRICS_TOKEN alone."

    def seen(self, headers: dict[str, str]) -> Any:
        """What /health says that the application saw. Raises CommandError when it says nothing of it."""
        status, answer = self.ask("/health", headers | {QUESTION: question()})
        if answer is None:
            raise CommandError(
                f"{self.url.geturl()}/health answered {status}, and not as this shop: is the URL the shop's, and "
                "SECRET_KEY here the server's?"
            )
        return json.loads(answer)

    def ask(self, path: str, headers: dict[str, str]) -> tuple[int, str | None]:
        """The status, and the header SEEN. Raises CommandError when nobody answers."""
        host, port = str(self.url.hostname), self.url.port
        connection = (
            HTTPSConnection(
                host, port, timeout=TIMEOUT, source_address=self.source, context=ssl.create_default_context()
            )
            if self.url.scheme == "https"
            else HTTPConnection(host, port, timeout=TIMEOUT, source_address=self.source)
        )
        try:
            connection.request("GET", self.url.path.rstrip("/") + path, headers=headers)
            response = connection.getresponse()
            response.read()
        except (OSError, HTTPException) as error:
            raise CommandError(f"{self.url.geturl()} does not answer: {error}") from error
        finally:
            connection.close()
        return response.status, response.headers.get(SEEN)
