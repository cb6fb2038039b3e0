"""The number of copies that a line may have."""

from bookstore.api.errors import ValidationError

MIN_QUANTITY, MAX_QUANTITY = 1, 999  # copies in one line


def check_quantity(quantity: object) -> None:
    """Raises ValidationError (422) on `quantity`, before the database's constraint would."""
    if not isinstance(quantity, int) or isinstance(quantity, bool):
        code, detail = "invalid", f"A quantity is a whole number, not {quantity!r}."
    elif quantity < MIN_QUANTITY:
        code, detail = "min_value", f"{quantity} is too small: send at least {MIN_QUANTITY}."
    elif quantity > MAX_QUANTITY:
        code, detail = "max_value", f"{quantity} is too large: send at most {MAX_QUANTITY}."
    else:
        return
    raise ValidationError([{"field": "quantity", "code": code, "detail": detail}])
