"""What a verb refuses, told to staff on the page."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from bookstore.api.errors import ApiError


class RefusalsAsMessages:
    """A verb's refusal (the book was deleted while its form was open, say) is told on the page; nothing is saved."""

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return self._or_message(request, super().changeform_view, args, kwargs)  # type: ignore[misc]

    def changelist_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return self._or_message(request, super().changelist_view, args, kwargs)  # type: ignore[misc]

    def delete_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return self._or_message(request, super().delete_view, args, kwargs)  # type: ignore[misc]

    def _or_message(
        self, request: HttpRequest, view: Callable[..., HttpResponse], args: Any, kwargs: Any
    ) -> HttpResponse:
        try:
            return view(request, *args, **kwargs)
        except ApiError as error:
            messages.error(request, str(error.detail))
            return HttpResponseRedirect(request.get_full_path())
