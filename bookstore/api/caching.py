"""HTTP caching of what everybody may read: a strong ETag, 304 for who holds it already, and Cache-Control.

`CATALOGUE_CACHE_SECONDS` is how old a price or a stock may be that a visitor sees. With 0 caches may keep an answer,
and must ask each time whether it still holds.
"""

from hashlib import blake2b

from django.conf import settings
from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from rest_framework.request import Request

from bookstore.api.etags import etag, if_none_match
from bookstore.database.replicas import reads_primary

IF_NONE_MATCH = OpenApiParameter(
    "If-None-Match",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    description="The ETag of the answer that you hold: while it is still the same, the answer is 304 without a body.",
)
ETAG = OpenApiParameter(
    "ETag",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    response=[200, 304],
    description="Names this very answer, the same on every worker and host, for If-None-Match.",
)
# For `extend_schema`, of a view that answers by `public_answer`.
CACHED = (IF_NONE_MATCH, ETAG)
NOT_MODIFIED = {304: OpenApiResponse(description="The answer is still the one that you hold.")}

# Seconds. A cache may send an answer that just became too old once more while it fetches the next. One second is enough
# for a busy entry, and keeps `max-age` what it says.
WHILE_REVALIDATING = 1
# And this long while the service is away: an old catalogue is better than none.
IF_ERROR = 86_400
# What nginx takes off: its clock has whole seconds, and it, too, may send an answer while it fetches the next.
NGINX_MARGIN = 2

# What an answer depends on besides its address. Who sends a token or the staff's cookie may have changed the catalogue
# a moment ago, and is never answered from a cache that others filled.
VARY = "Authorization, Cookie"


def public_answer(request: Request, body: bytes, content_type: str = "application/json") -> HttpResponse:
    """200 with this body, or 304 when the client holds it already."""
    version = blake2b(body, digest_size=16).hexdigest()
    if if_none_match(request, version):
        response = HttpResponse(status=304)
        del response.headers["Content-Type"]
    else:
        response = HttpResponse(body, content_type=content_type)
    response.headers["ETag"] = etag(version)
    response.headers["Vary"] = VARY
    seconds = settings.CATALOGUE_CACHE_SECONDS
    if reads_primary(request):
        response.headers["Cache-Control"] = "private, no-store"
    elif not seconds:
        response.headers["Cache-Control"] = "no-cache"
    else:
        response.headers["Cache-Control"] = (
            f"public, max-age={seconds}, stale-while-revalidate={WHILE_REVALIDATING}, stale-if-error={IF_ERROR}"
        )
        # Read by nginx alone, which does not hand it on.
        response.headers["X-Accel-Expires"] = str(max(seconds - NGINX_MARGIN, 0))
    return response
