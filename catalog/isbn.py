"""Normalises ISBNs to ISBN-13."""

from functools import lru_cache

from django.core.exceptions import ValidationError


@lru_cache(maxsize=2048)  # an import asks four times for each row: as input, twice when it is saved, and as a look-up
def clean_isbn(text: str) -> str:
    """An ISBN-10 or ISBN-13, with or without hyphens and blanks, as its ISBN-13: one book has one.

    Raises Django's ValidationError for any other text and for a wrong check digit.
    """
    message = "This is no ISBN-10 or ISBN-13: look at its digits again, the last one checks the others."
    bare = "".join(character for character in text if character not in " -\u2010\u2011\u2012\u2013")
    # stdnum alone would also accept nine digits (SBN), and wide or mathematical digits.
    if not bare.isascii() or len(bare) not in {10, 13}:
        raise ValidationError(message, code="invalid")
    # Here: a worker without ISBNs does not need it; it imports pydoc, 0.4 MB in all.
    from stdnum import isbn as stdnum_isbn
    from stdnum.exceptions import ValidationError as NotAnIsbn

    try:
        return str(stdnum_isbn.validate(bare, convert=True))
    except NotAnIsbn as error:
        raise ValidationError(message, code="invalid") from error
