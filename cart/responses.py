"""Responses of the cart's API: the JSON with the cart's ETag."""

from django.http import HttpResponse
from rest_framework.request import Request

from bookstore.api.errors import ValidationError
from bookstore.api.etags import etag, if_none_match
from bookstore.api.fields import shown
from cart.facts import CartFacts, LineFacts
from cart.representation import cart_json, dump, line_json, version_of


def json_answer(content: bytes, version: str, status: int = 200) -> HttpResponse:
    return HttpResponse(content, status=status, content_type="application/json", headers={"ETag": etag(version)})


def unless_held(request: Request, content: bytes, version: str) -> HttpResponse:
    """Returns 304 when If-None-Match has this version, else the content."""
    if if_none_match(request, version):
        return HttpResponse(status=304, headers={"ETag": etag(version)})
    return json_answer(content, version)


def wants_cart(request: Request) -> bool:
    """Whether `?return=cart` asks for the whole cart. Call it before the change. Raises ValidationError."""
    wanted = request.query_params.get("return")
    if wanted not in (None, "cart"):
        detail = f'"{shown(wanted)}" is not "cart": write return=cart for the whole cart, or leave it out.'
        raise ValidationError([{"field": "return", "code": "invalid_choice", "detail": detail}])
    return wanted == "cart"


def changed(cart: CartFacts, line: LineFacts | None = None, *, whole: bool, status: int = 200) -> HttpResponse:
    """The response to a change: the whole cart, or the line, or nothing (204). The ETag is always the cart's."""
    content = dump(cart_json(cart))
    version = version_of(content)
    if whole:
        return json_answer(content, version, status)
    if line is None:
        return HttpResponse(status=204, headers={"ETag": etag(version)})
    return json_answer(dump(line_json(line)), version, status)
