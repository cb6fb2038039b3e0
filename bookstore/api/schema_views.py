"""/schema and /docs: the OpenAPI schema, and its page."""

from typing import Any, ClassVar, cast

from csp.middleware import CSPMiddleware
from django.http import HttpResponse
from django.utils.decorators import decorator_from_middleware, method_decorator
from drf_spectacular.renderers import OpenApiJsonRenderer, OpenApiJsonRenderer2
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from bookstore.api.caching import public_answer
from bookstore.api.schema import ShopSchema


class WithoutAllow(APIView):
    @property
    def default_response_headers(self) -> dict[str, str]:
        """DRF's headers without `Allow`, as for an ApiView."""
        return {name: value for name, value in super().default_response_headers.items() if name != "Allow"}


class SchemaView(WithoutAllow, SpectacularAPIView):
    """The schema, cached in each process by media type, because it takes 60 ms of CPU and is public."""

    renderer_classes = [OpenApiJsonRenderer2, OpenApiJsonRenderer]  # application/json unless another type is asked for
    made: ClassVar[dict[str, bytes]] = {}  # by media type

    @extend_schema(exclude=True)
    def get(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
        renderer = request.accepted_renderer
        if renderer.media_type not in self.made:
            # Without the request, so that nothing of one client gets into the cached schema.
            described = ShopSchema().get_schema(request=None, public=True)
            self.made[renderer.media_type] = cast(bytes, renderer.render(described))
        return public_answer(request, self.made[renderer.media_type], renderer.media_type)


@method_decorator(decorator_from_middleware(CSPMiddleware), "dispatch")
class DocsView(WithoutAllow, SpectacularSwaggerSplitView):
    """The schema as a page, with all assets served from here. The same for everybody; sets no cookie.

    Its script is a file, /docs?script=, because the Content-Security-Policy of pages allows none in the page.
    """

    template_name = "docs.html"

    @extend_schema(exclude=True)
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        response: Response = super().get(request, *args, **kwargs)
        response.data["csrf_token"] = ""  # the API needs no CSRF token, and reading it would set a cookie
        response.headers["Cache-Control"] = "no-cache"
        response.headers["Cross-Origin-Opener-Policy"] = "unsafe-none"  # as the unsplit view: sign-ins in a pop-up
        return response
