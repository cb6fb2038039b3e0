"""What the application sees of a request that came through the proxies: /health tells it to `manage.py check_proxy`."""

import json

from django.core.signing import BadSignature, TimestampSigner
from django.http import HttpRequest
from rest_framework.request import Request

from bookstore.api.forwarded import client_of

QUESTION, SEEN = "X-Proxy-Check", "X-Proxy-Seen"  # headers of the request, and of its answer
GOOD_FOR = 60  # seconds

signer = TimestampSigner(salt="bookstore.server.proxy_check")


def question() -> str:
    """A value of QUESTION, which only who has SECRET_KEY can make."""
    return signer.sign("proxy")


def answer(request: Request | HttpRequest) -> dict[str, str]:
    """The header SEEN for a request with a good QUESTION, none for all others."""
    asked = request.META.get("HTTP_X_PROXY_CHECK")
    if asked is None:
        return {}
    try:
        signer.unsign(asked, max_age=GOOD_FOR)
    except BadSignature:
        return {}
    return {SEEN: json.dumps({"address": client_of(request), "https": request.is_secure()})}
