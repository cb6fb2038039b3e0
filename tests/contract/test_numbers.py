"""What a refused number is told: the value, and what is allowed."""

from decimal import Decimal

import pytest
from rest_framework.exceptions import ValidationError

from bookstore.api.fields import WholeNumberField
from catalog.serializers import PriceField


@pytest.mark.parametrize(
    ("field", "value", "detail"),
    [
        (WholeNumberField(min_value=1, max_value=999), 0, "0 is too small: send at least 1."),
        (WholeNumberField(min_value=1, max_value=999), "1000", "1000 is too large: send at most 999."),
        (WholeNumberField(max_value=999), 10**100, f"1{49 * '0'} is too large: send at most 999."),
        (WholeNumberField(), "ten", '"ten" is not a whole number.'),
        (WholeNumberField(), True, '"True" is not a whole number.'),
        (WholeNumberField(), 200 * "x", f'"{50 * "x"}" is not a whole number.'),
        (WholeNumberField(), "\ud800", '"\\ud800" is not a whole number.'),
        (PriceField(min_value=Decimal("0.01")), "0.00", "0.00 is too small: send at least 0.01."),
        (PriceField(), "free", '"free" is not an amount such as 12.50.'),
    ],
)
def test_number_that_is_refused_is_named_with_what_is_allowed(field, value, detail):
    with pytest.raises(ValidationError) as refused:
        field.run_validation(value)

    assert refused.value.detail == [detail]
