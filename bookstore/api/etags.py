"""If-Match and If-None-Match, with weak comparison in both (docs/decisions/0019-weak-etags.md)."""

import re
from hashlib import blake2b

from django.utils.http import parse_etags
from rest_framework.request import Request

# How compressing proxies change the tag "abc": nginx and Cloudflare to W/"abc", Apache "abc-gzip", Jetty "abc--gzip".
OF_A_COMPRESSOR = re.compile(r"-{1,2}(gzip|br|zstd|deflate)$")


def version_of(body: bytes) -> str:
    """The version of these bytes: a hash, 32 hexadecimal digits."""
    return blake2b(body, digest_size=16).hexdigest()


def etag(version: str) -> str:
    """The header's value for a version, which must have no quotation mark."""
    return f'"{version}"'


def versions(header: str) -> list[str]:
    """The versions in an If-Match or If-None-Match, without the changes by proxies."""
    tags = (tag.removeprefix("W/").strip('"') for tag in parse_etags(header))
    return [OF_A_COMPRESSOR.sub("", tag) for tag in tags]


def if_match(request: Request) -> list[str] | None:
    """The versions of If-Match; None without the header, or for `*`."""
    sent = request.META.get("HTTP_IF_MATCH")
    if sent is None:
        return None
    named = versions(sent)
    return None if "*" in named else named


def if_none_match(request: Request, version: str) -> bool:
    """Whether the caller already has this version."""
    sent = request.META.get("HTTP_IF_NONE_MATCH")
    if not sent:
        return False
    named = versions(sent)
    return version in named or "*" in named
