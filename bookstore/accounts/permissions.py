"""DRF permission classes. SignedIn is the default in the settings."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rest_framework.permissions import SAFE_METHODS, BasePermission

from bookstore.api.errors import ApiError, Forbidden, NotAuthenticated

if TYPE_CHECKING:
    from rest_framework.request import Request
    from rest_framework.views import APIView


class SignedIn(BasePermission):
    """The default: a customer or staff with a token whose session is good. One query.

    None for a handler marked `@confirms_caller`: its own statement checks the session.
    """

    errors: ClassVar[tuple[type[ApiError], ...]] = (NotAuthenticated,)

    def has_permission(self, request: Request, view: APIView) -> bool:
        if request.auth is None:
            return False
        return getattr(view, "statement_confirms_caller", False) or bool(request.user.is_authenticated)


PERMISSION_FOR = {"POST": "add", "PUT": "change", "PATCH": "change", "DELETE": "delete"}


class StaffWritesModel(BasePermission):
    """Public reads; writes by staff with Django's permission on the view's `model`.

    A superuser has all permissions. The view names its model as `model`, or has a `queryset`.
    """

    errors: ClassVar[tuple[type[ApiError], ...]] = (NotAuthenticated, Forbidden)

    def has_permission(self, request: Request, view: APIView) -> bool:
        if request.method in SAFE_METHODS:
            return True
        options = (getattr(view, "model", None) or view.queryset.model)._meta  # type: ignore[attr-defined]  # a view without `model` is a generic one
        action = PERMISSION_FOR.get(request.method or "")
        permission = f"{options.app_label}.{action}_{options.model_name}"
        return bool(request.user.is_staff and request.user.has_perm(permission))
