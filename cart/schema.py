"""Schemas of the cart that serializers cannot express: unions that a client distinguishes by `code`."""

from collections.abc import Iterable
from typing import Any

from drf_spectacular.utils import PolymorphicProxySerializer, extend_schema_field, inline_serializer
from rest_framework import serializers

from bookstore.api.errors import ApiError, ValidationError
from bookstore.api.fields import MoneyField
from cart.exceptions import BookOutOfStock, CartItemDuplicate, CartLimitExceeded
from cart.issues import IssueCode
from cart.merging import MergeStatus
from cart.preview import PreviewStatus
from catalog.exceptions import BookNotFound


def constant(*values: str, **options: Any) -> serializers.CharField:
    """A field with this value only, or one of these values."""

    # A subclass, because the decorator changes the class, and CharField is used everywhere.
    @extend_schema_field({"type": "string", "enum": list(values)})
    class Constant(serializers.CharField):
        pass

    return Constant(**options)


def issue(code: IssueCode, **facts: serializers.Field[Any, Any, Any, Any]) -> serializers.Serializer[Any]:
    name = code.title().replace("_", "") + "Issue"
    return inline_serializer(name, {"code": constant(code), **facts})


ISSUES = PolymorphicProxySerializer(
    component_name="Issue",
    resource_type_field_name="code",
    many=True,
    serializers={
        IssueCode.BOOK_UNAVAILABLE.value: issue(IssueCode.BOOK_UNAVAILABLE),
        IssueCode.BOOK_OUT_OF_STOCK.value: issue(IssueCode.BOOK_OUT_OF_STOCK),
        IssueCode.INSUFFICIENT_STOCK.value: issue(
            IssueCode.INSUFFICIENT_STOCK, available=serializers.IntegerField(help_text="Copies in stock today.")
        ),
        IssueCode.PRICE_CHANGED.value: issue(
            IssueCode.PRICE_CHANGED,
            **{
                "from": MoneyField(help_text="Unit price when added or last changed."),
                "to": MoneyField(help_text="Unit price today."),
            },
        ),
    },
)

SKIPPED_FOR = (BookNotFound, BookOutOfStock, CartLimitExceeded, CartItemDuplicate, ValidationError)


def results(name: str, statuses: Iterable[str], reasons: Iterable[type[ApiError]]) -> serializers.Serializer[Any]:
    """The results of the entries."""
    return inline_serializer(
        name,
        {
            "book_id": serializers.IntegerField(allow_null=True, help_text="null of an entry that names no book."),
            "status": constant(*statuses),
            "code": constant(
                *(error.code for error in reasons),
                required=False,
                help_text="Why it was skipped; there only when it was. "
                "CART_ITEM_DUPLICATE: an earlier entry has the book.",
            ),
            "field": serializers.CharField(required=False, help_text="With VALIDATION_ERROR: what is bad."),
            "detail": serializers.CharField(required=False, help_text="With VALIDATION_ERROR: why, for a person."),
        },
        many=True,
    )


MERGE_RESULTS = results("MergeResult", MergeStatus, SKIPPED_FOR)
PREVIEW_RESULTS = results("PreviewResult", PreviewStatus, (each for each in SKIPPED_FOR if each is not BookOutOfStock))
