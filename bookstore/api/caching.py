"""HTTP caching of public answers: a strong ETag, 304 for a matching If-None-Match, and Cache-Control.

`CATALOGUE_CACHE_SECONDS` is `max-age`: how old a price or a stock may be that a visitor sees. With 0 caches may store
an answer, and must revalidate it each time.
"""

from django.conf import settings
from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from rest_framework.request import Request

from bookstore.api.etags import etag, if_none_match, version_of
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

# stale-while-revalidate, in seconds: a cache may send a stale answer while it fetches a new one. One second is enough
# for a busy entry.
WHILE_REVALIDATING = 1
# stale-if-error, in seconds: while the service is down, a stale catalogue is better than none.
IF_ERROR = 86_400
# Subtracted for nginx, in seconds: its clock has whole seconds, and it, too, sends stale answers while it fetches.
NGINX_MARGIN = 2

# A caller with a token or the staff's cookie may just have changed the catalogue, and never gets a cached answer.
VARY = "Authorization, Cookie"


def public_answer(
    request: Request, body: bytes, content_type: str = "application/json", *, same_for_all_during: int = 0
) -> HttpResponse:
    """200 with this body, or 304 when If-None-Match has its ETag.

    `same_for_all_during`: seconds that caches may keep it, for whoever asks. With 0 CATALOGUE_CACHE_SECONDS counts, and
    a caller with a token or the staff's cookie is never answered from a cache.
    """
    version = version_of(body)
    if if_none_match(request, version):
        response = HttpResponse(status=304)
        del response.headers["Content-Type"]
    else:
        response = HttpResponse(body, content_type=content_type)
    response.headers["ETag"] = etag(version)
    if not same_for_all_during:
        response.headers["Vary"] = VARY
    seconds = same_for_all_during or settings.CATALOGUE_CACHE_SECONDS
    if not same_for_all_during and reads_primary(request):
        response.headers["Cache-Control"] = "private, no-store"
    elif not seconds:
        response.headers["Cache-Control"] = "no-cache"
    else:
        response.headers["Cache-Control"] = (
            f"public, max-age={seconds}, stale-while-revalidate={WHILE_REVALIDATING}, stale-if-error={IF_ERROR}"
        )
        # For nginx, which removes it from the response.
        response.headers["X-Accel-Expires"] = str(max(seconds - NGINX_MARGIN, 0))
    return response
