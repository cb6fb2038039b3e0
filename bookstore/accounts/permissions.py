"""What is open to everybody, and what only to staff."""

from typing import Any, ClassVar

from rest_framework.authentication import BaseAuthentication
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from bookstore.api.errors import ApiError, Forbidden, NotAuthenticated
from bookstore.api.views import ApiView

PERMISSION_FOR = {"POST": "add", "PUT": "change", "PATCH": "change", "DELETE": "delete"}


class StaffWritesModel(BasePermission):
    """Reading is for everybody; writing for staff who hold Django's permission on the view's `model`.

    A superuser holds all. The view names its model as `model`, or has a `queryset`.
    """

    errors: ClassVar[tuple[type[ApiError], ...]] = (NotAuthenticated, Forbidden)

    def has_permission(self, request: Request, view: APIView) -> bool:
        if request.method in SAFE_METHODS:
            return True
        options = (getattr(view, "model", None) or view.queryset.model)._meta  # type: ignore[attr-defined]
        action = PERMISSION_FOR.get(request.method or "")
        permission = f"{options.app_label}.{action}_{options.model_name}"
        return bool(request.user.is_staff and request.user.has_perm(permission))


class PublicReads(ApiView):
    """For a view whose reads are for everybody: they look at no token, so that a bad or expired one does not fail them.

    Writes keep the view's authentication and permissions.
    """

    def get_authenticators(self) -> list[BaseAuthentication]:
        return [] if self.reads() else super().get_authenticators()

    def get_permissions(self) -> list[Any]:
        return [] if self.reads() else list(super().get_permissions())

    def reads(self) -> bool:
        # There is no request while the schema makes its own.
        return getattr(self.request, "method", None) in SAFE_METHODS
