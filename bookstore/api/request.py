"""The request class, which ignores the charset of the Content-Type, and bounds the escapes of a form."""

from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.core.handlers.wsgi import WSGIRequest
from django.utils.http import parse_header_parameters

from bookstore.api.forwarded import believe

# Escapes (%C3) in a form of the admin: reading so many takes 30 ms, and 1 MB could hold 333,000. A form has as many
# only with 50,000 letters outside of ASCII.
MAX_ESCAPES = 100_000


class Utf8Request(WSGIRequest):
    """Decodes bodies and queries as UTF-8; Django would use any codec that the client names.

    Django does so in the constructor, where no middleware can handle the exception of a codec.
    """

    def __init__(self, environ: dict[str, Any]) -> None:
        believe(environ)
        super().__init__(environ)

    def _set_content_type_params(self, meta: dict[str, Any]) -> None:
        sent = meta.get("CONTENT_TYPE", "")
        try:
            self.content_type, self.content_params = parse_header_parameters(sent)
        except (ValueError, LookupError):  # e.g. `charset*=nonsense''x`
            # The whole header becomes the type: DRF can read it, and no parser accepts it.
            self.content_type, self.content_params = sent.replace(";", ","), {}
            meta["CONTENT_TYPE"] = self.content_type

    def _load_post_and_files(self) -> None:
        """As Django's. Raises RequestDataTooBig for a form of too many escapes, before any is decoded."""
        if self.content_type == "application/x-www-form-urlencoded" and self.body.count(b"%") > MAX_ESCAPES:
            raise RequestDataTooBig(f"The form has more than {MAX_ESCAPES:,} escaped bytes.")
        super()._load_post_and_files()
