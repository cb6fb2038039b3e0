"""The one envelope of every error: `{"detail", "code", "field"?}`.

Verbs of the models and views raise subclasses of `ApiError`. All other exceptions (Django's, DRF's and the database's)
are translated here, and only here.
"""

from collections.abc import Iterator, Mapping
from itertools import islice
from math import ceil
from types import MappingProxyType
from typing import Any

from django.conf import settings
from django.core.exceptions import NON_FIELD_ERRORS, PermissionDenied, RequestDataTooBig, TooManyFieldsSent
from django.core.exceptions import ValidationError as DjangoValidationError
from django.http import Http404, HttpResponse
from rest_framework import exceptions
from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response

from bookstore.database import is_outdated, is_unavailable, note_unavailable

# Retry-After in seconds, when the database is down or too busy.
RETRY_AFTER = 1
# On every error: it may be private to the caller, or soon outdated.
NOT_KEPT = {"Cache-Control": "no-store"}
# Validation errors in one answer; the client sees others after correcting these.
MAX_FAULTS = 20


class ApiError(exceptions.APIException):
    """A refusal that the contract names. Subclasses give `status_code`, `code`, `message` and perhaps `field`.

    `extra` is added to the three standard keys of the body, such as `item_id` of a duplicate; `extra_fields` has its
    schemas.
    """

    status_code = 400
    code = "BAD_REQUEST"
    message = "The request cannot be understood."
    field: str | None = None
    headers: Mapping[str, str] = {}

    def __init__(self, message: str | None = None, **extra: Any) -> None:
        self.extra = extra
        super().__init__(message or self.message, self.code)

    def envelope(self) -> dict[str, Any]:
        body = {"detail": str(self.detail), "code": self.code}
        if self.field is not None:  # a parameter may have an empty name
            body["field"] = self.field
        return body | self.extra


class BadRequest(ApiError):
    pass


class ParseError(ApiError):
    code = "PARSE_ERROR"
    message = "The body is not JSON."


class NotAuthenticated(ApiError):
    status_code = 401
    code = "NOT_AUTHENTICATED"
    message = "Sign in first: send an access token as `Authorization: Bearer …`."


class Forbidden(ApiError):
    status_code = 403
    code = "AUTH_FORBIDDEN"
    message = "Only staff with the permission for it may do this."


class NotFound(ApiError):
    status_code = 404
    code = "NOT_FOUND"
    message = "There is nothing at this path."


class MethodNotAllowed(ApiError):
    status_code = 405
    code = "METHOD_NOT_ALLOWED"
    message = "This path does not answer to this method; the header Allow lists those that it answers to."


class NotAcceptable(ApiError):
    status_code = 406
    code = "NOT_ACCEPTABLE"
    message = "Answers are application/json only; the header Accept does not allow it."


class ContentTooLarge(ApiError):
    status_code = 413
    code = "CONTENT_TOO_LARGE"
    message = "The body is larger than the 1 MB that is read."


class UnsupportedMediaType(ApiError):
    status_code = 415
    code = "UNSUPPORTED_MEDIA_TYPE"
    message = "Bodies are read as application/json only; set the header Content-Type."


class Throttled(ApiError):
    status_code = 429
    code = "THROTTLED"
    message = "Too many attempts."

    def __init__(self, wait: int, headers: Mapping[str, str] = MappingProxyType({})) -> None:
        super().__init__(f"Too many attempts: try again in {wait} s.")
        self.headers = {"Retry-After": str(wait), **headers}


class InternalError(ApiError):
    status_code = 500
    code = "INTERNAL_ERROR"
    message = "Something went wrong here. The header X-Request-ID names this request in the log."


class ServiceUnavailable(ApiError):
    status_code = 503
    code = "SERVICE_UNAVAILABLE"
    message = "The database is away or too busy. Nothing was changed that was not confirmed; try again shortly."
    headers = {"Retry-After": str(RETRY_AFTER)}


class ValidationError(ApiError):
    """One entry in `errors` for each of the first `MAX_FAULTS` faults; `detail` and `field` repeat the first."""

    status_code = 422
    code = "VALIDATION_ERROR"
    message = "A field is missing, of the wrong type, or out of range."

    def __init__(self, errors: list[dict[str, str]]) -> None:
        super().__init__(errors[0]["detail"], errors=errors[:MAX_FAULTS])
        self.field = errors[0]["field"]


class TooManyParameters(ValidationError):
    """Replaces Django's TooManyFieldsSent, which Django raises before any view reads the query."""

    def __init__(self) -> None:
        most = settings.DATA_UPLOAD_MAX_NUMBER_FIELDS
        detail = f"Send no more than {most:,} parameters."
        super().__init__([{"field": "query", "code": "max_length", "detail": detail}])


# The error for a status that Django, a middleware or the server sends without an ApiError.
BY_STATUS: dict[int, type[ApiError]] = {
    error.status_code: error
    for error in (
        BadRequest,
        NotAuthenticated,
        Forbidden,
        NotFound,
        MethodNotAllowed,
        NotAcceptable,
        ContentTooLarge,
        UnsupportedMediaType,
        InternalError,
        ServiceUnavailable,
    )
}

TRANSLATIONS: tuple[tuple[type[Exception], type[ApiError]], ...] = (
    (exceptions.NotAuthenticated, NotAuthenticated),
    (exceptions.MethodNotAllowed, MethodNotAllowed),
    (exceptions.NotAcceptable, NotAcceptable),
    (exceptions.UnsupportedMediaType, UnsupportedMediaType),
    (exceptions.ParseError, ParseError),
    (exceptions.NotFound, NotFound),
    (Http404, NotFound),
    (exceptions.PermissionDenied, Forbidden),
    (PermissionDenied, Forbidden),
    (RequestDataTooBig, ContentTooLarge),
    (TooManyFieldsSent, TooManyParameters),
)


def faults(detail: Any, path: str = "") -> Iterator[dict[str, str]]:
    """DRF's nested details as a flat list; `items.3.quantity` is the path of a fault inside a list."""
    if isinstance(detail, dict):
        for key, value in detail.items():
            name = path if key == "non_field_errors" else f"{path}.{key}" if path else str(key)
            yield from faults(value, name)
    elif isinstance(detail, list) and any(isinstance(entry, dict | list) for entry in detail):
        for index, entry in enumerate(detail):
            yield from faults(entry, f"{path}.{index}" if path else str(index))
    else:
        for entry in detail if isinstance(detail, list) else [detail]:
            yield {"field": path or "body", "code": getattr(entry, "code", None) or "invalid", "detail": str(entry)}


def as_api_error(error: Exception) -> ApiError | None:
    """The ApiError for this exception; None for a bug.

    Every APIException keeps its status, and every ValidationError is 422, DRF's and Django's.
    """
    if isinstance(error, ApiError):
        return error
    if isinstance(error, exceptions.ValidationError):
        return invalid(faults(error.detail))
    if isinstance(error, DjangoValidationError):
        return invalid(faults_of_django(error))
    for theirs, ours in TRANSLATIONS:
        # A permission class may have its own code, which is kept below.
        if isinstance(error, theirs) and getattr(error, "default_code", None) == codes_of(error):
            return ours()
    if isinstance(error, exceptions.APIException):
        return as_it_stands(error)
    if is_unavailable(error) or is_outdated(error):
        note_unavailable(error)
        return ServiceUnavailable()
    return None


def invalid(found: Iterator[dict[str, str]]) -> ValidationError:
    """A ValidationError of the first MAX_FAULTS faults; a general one when there are none."""
    listed = list(islice(found, MAX_FAULTS))
    return ValidationError(listed or [{"field": "body", "code": "invalid", "detail": ValidationError.message}])


def faults_of_django(error: DjangoValidationError) -> Iterator[dict[str, str]]:
    named = error.error_dict if hasattr(error, "error_dict") else {NON_FIELD_ERRORS: error.error_list}
    for name, errors in named.items():
        field = "body" if name == NON_FIELD_ERRORS else name
        for each in errors:
            yield {"field": field, "code": each.code or "invalid", "detail": " ".join(each.messages)}


def codes_of(error: Exception) -> Any:
    return error.get_codes() if isinstance(error, exceptions.APIException) else None


def as_it_stands(error: exceptions.APIException) -> ApiError:
    """Any other APIException: keeps its status, code (DRF's in capitals), first text and Retry-After."""
    first = next(faults(error.detail), {"detail": error.default_detail, "code": error.default_code})
    refusal = ApiError(str(first["detail"]))
    refusal.status_code = error.status_code
    code = str(first["code"])
    refusal.code = code.upper() if code == error.default_code else code
    wait = getattr(error, "wait", None)
    if wait is not None:
        refusal.headers = {"Retry-After": str(ceil(wait))}
    return refusal


def headers_of(error: ApiError) -> dict[str, str]:
    challenge = {"WWW-Authenticate": "Bearer"} if error.status_code == 401 else {}
    return {**NOT_KEPT, **error.headers, **challenge}


def exception_handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's hook: the envelope of an error, or None for a bug, which Django then logs with its traceback."""
    ours = as_api_error(error)
    if ours is None:
        return None
    # Imported here because of a cycle: DRF's views load the schema class from the settings, which imports this module.
    from rest_framework.views import set_rollback

    set_rollback()  # under ATOMIC_REQUESTS, as DRF's own handler does
    headers = headers_of(ours)
    if isinstance(ours, MethodNotAllowed):
        # Without OPTIONS, which DRF lists: it is a CORS preflight, which no view answers.
        headers["Allow"] = ", ".join(name for name in context["view"].allowed_methods if name != "OPTIONS")
    return Response(ours.envelope(), status=ours.status_code, headers=headers)


def json_response(error: ApiError) -> HttpResponse:
    """The same envelope outside DRF: for middleware."""
    body = JSONRenderer().render(error.envelope())
    headers = {"Content-Length": str(len(body)), **headers_of(error)}
    return HttpResponse(body, status=error.status_code, headers=headers, content_type="application/json")
