"""The translation of exceptions into the envelope, without a view."""

import pytest
from django.core.exceptions import ValidationError as DjangoValidationError
from rest_framework import exceptions

from bookstore.api import errors
from bookstore.api.errors import as_api_error, faults, headers_of


@pytest.mark.parametrize("status", [400, 403, 404, 405, 406, 413, 415, 422, 429, 500, 503])
def test_only_401_challenges_the_caller(status):
    refusal = errors.ApiError()
    refusal.status_code = status

    assert headers_of(refusal) == {"Cache-Control": "no-store"}
    assert headers_of(errors.NotAuthenticated()) == {"Cache-Control": "no-store", "WWW-Authenticate": "Bearer"}


@pytest.mark.parametrize("code", ["CART_ITEM_FORBIDDEN", "wishlist_of_another"])
def test_permission_with_a_code_of_its_own_keeps_code_and_text(code):
    refused = as_api_error(exceptions.PermissionDenied("The line is another customer's.", code=code))

    assert refused.status_code == 403
    assert refused.envelope() == {"detail": "The line is another customer's.", "code": code}


@pytest.mark.parametrize("code", [None, "".join(["permission", "_denied"])])
def test_permission_without_one_is_forbidden(code):
    assert as_api_error(exceptions.PermissionDenied(code=code)).envelope() == {
        "detail": "Only staff with the permission for it may do this.",
        "code": "AUTH_FORBIDDEN",
    }


def test_bug_is_none_of_ours():
    assert as_api_error(RuntimeError("a bug")) is None


@pytest.mark.parametrize(
    ("detail", "expected"),
    [
        ({"title": ["Too long."]}, [("title", "Too long.")]),
        ({"non_field_errors": ["Together."]}, [("body", "Together.")]),
        ({"".join(["non_field", "_errors"]): ["Together."]}, [("body", "Together.")]),  # equal, not the same
        ({"items": [{}, {"quantity": ["Too large."]}]}, [("items.1.quantity", "Too large.")]),
        ({"items": {"non_field_errors": ["Empty."]}}, [("items", "Empty.")]),
        (["Wrong.", "And wrong again."], [("body", "Wrong."), ("body", "And wrong again.")]),
        ([{"title": ["Too long."]}], [("0.title", "Too long.")]),
        ("Wrong.", [("body", "Wrong.")]),
    ],
)
def test_faults_are_one_flat_list_with_the_path_of_each(detail, expected):
    assert [(fault["field"], fault["detail"]) for fault in faults(detail)] == expected


def test_fault_has_the_code_of_its_detail_or_invalid():
    coded = exceptions.ErrorDetail("Too long.", code="max_length")

    assert list(faults({"title": [coded], "author": ["Wrong."]})) == [
        {"field": "title", "code": "max_length", "detail": "Too long."},
        {"field": "author", "code": "invalid", "detail": "Wrong."},
    ]


def test_validation_repeats_the_first_of_its_faults():
    refused = as_api_error(exceptions.ValidationError({"title": ["Too long."], "author": ["Wrong."]}))

    assert refused.status_code == 422
    assert refused.envelope() == {
        "detail": "Too long.",
        "code": "VALIDATION_ERROR",
        "field": "title",
        "errors": [
            {"field": "title", "code": "invalid", "detail": "Too long."},
            {"field": "author", "code": "invalid", "detail": "Wrong."},
        ],
    }


class Teapot(exceptions.APIException):
    status_code = 418
    default_detail = "Short and stout."
    default_code = "teapot"


@pytest.mark.parametrize(
    ("error", "status", "body"),
    [
        (Teapot(), 418, {"detail": "Short and stout.", "code": "TEAPOT"}),
        (Teapot("Hot.", code="TOO_HOT"), 418, {"detail": "Hot.", "code": "TOO_HOT"}),
        (Teapot("Cold.", code="cold"), 418, {"detail": "Cold.", "code": "cold"}),
        (Teapot("Hot.", code="".join(["tea", "pot"])), 418, {"detail": "Hot.", "code": "TEAPOT"}),
        (exceptions.AuthenticationFailed("Who?"), 401, {"detail": "Who?", "code": "AUTHENTICATION_FAILED"}),
        (exceptions.APIException("No."), 500, {"detail": "No.", "code": "ERROR"}),
        (Teapot({"lid": ["Off."]}), 418, {"detail": "Off.", "code": "TEAPOT"}),
    ],
)
def test_exception_of_drf_keeps_its_status(error, status, body):
    refused = as_api_error(error)

    assert (refused.status_code, refused.envelope()) == (status, body)


def test_throttle_of_drf_says_when_to_come_back():
    refused = as_api_error(exceptions.Throttled(wait=3.2))

    assert (refused.status_code, refused.code, headers_of(refused)["Retry-After"]) == (429, "THROTTLED", "4")


def test_validation_error_of_django_is_422():
    by_field = DjangoValidationError({"title": [DjangoValidationError("Too %(how)s.", "max_length", {"how": "long"})]})
    of_the_whole = DjangoValidationError(["Wrong.", "And wrong again."])

    assert as_api_error(by_field).envelope() == {
        "detail": "Too long.",
        "code": "VALIDATION_ERROR",
        "field": "title",
        "errors": [{"field": "title", "code": "max_length", "detail": "Too long."}],
    }
    assert [(fault["field"], fault["detail"]) for fault in as_api_error(of_the_whole).extra["errors"]] == [
        ("body", "Wrong."),
        ("body", "And wrong again."),
    ]


@pytest.mark.parametrize("error", [exceptions.ValidationError([]), DjangoValidationError([])])
def test_validation_error_of_nothing_is_422_all_the_same(error):
    assert as_api_error(error).status_code == 422


def test_at_most_twenty_faults_are_listed():
    many = exceptions.ValidationError({"items": [{"quantity": ["Too large."]}] * 1_000})

    refused = as_api_error(many)

    assert [fault["field"] for fault in refused.extra["errors"]] == [f"items.{n}.quantity" for n in range(20)]
