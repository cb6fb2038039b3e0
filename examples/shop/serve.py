"""Serves the shop's files and the demo's covers below /shop/: in the demo only (DEBUG=1)."""

from hashlib import sha256
from pathlib import Path

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import path
from django.utils.cache import get_conditional_response
from django.utils.http import quote_etag
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe
from django.views.static import serve

from catalog.models import Book
from examples.shop.covers import draw

FOLDER = Path(__file__).parent
SERVED = {".html", ".css", ".js", ".svg", ""}
# Scripts and styles of this origin alone, and no form that the browser itself sends. Covers may be anywhere.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' https: http: blob:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


@csrf_exempt  # another method is 405, and not 403 for want of a token
@require_safe
def file(request: HttpRequest, name: str = "index.html") -> HttpResponseBase:
    """One of the shop's files; the browser asks each time whether it has changed."""
    try:
        response = serve(request, name if Path(name).suffix in SERVED else "", document_root=str(FOLDER))
    except OSError as error:  # the name is longer than a file's may be
        raise Http404 from error
    response.headers["Cache-Control"] = "no-cache"
    response.headers["Content-Security-Policy"] = POLICY
    return response


@csrf_exempt
@require_safe
def cover(request: HttpRequest, book_id: int) -> HttpResponseBase:
    """A book's cover, drawn from its title, author and genre. 404 for a book that is not there. One query."""
    book = get_object_or_404(Book.objects.values_list("title", "author", "genre__name"), pk=book_id)
    title, author, genre = book
    drawing = draw(title, author, genre or "").encode()
    response = HttpResponse(drawing, content_type="image/svg+xml")
    response.headers["Cache-Control"] = "public, max-age=86400"
    response.headers["Content-Security-Policy"] = "default-src 'none'"
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    response.headers["ETag"] = etag = quote_etag(sha256(drawing).hexdigest()[:32])
    return get_conditional_response(request, etag=etag, response=response) or response


urlpatterns = [
    path("", file, name="shop"),
    path("covers/<int:book_id>.svg", cover),
    path("<path:name>", file),
]
