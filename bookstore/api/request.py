"""The request class: the charset of the Content-Type is ignored."""

from typing import Any

from django.core.handlers.wsgi import WSGIRequest
from django.utils.http import parse_header_parameters

from bookstore.server.forwarded import believe


class Utf8Request(WSGIRequest):
    """Decodes bodies and queries as UTF-8; Django would use any codec that the client names.

    Django does that in the constructor, before any middleware could turn the codec's exception into an answer.
    """

    def __init__(self, environ: dict[str, Any]) -> None:
        believe(environ)
        super().__init__(environ)

    def _set_content_type_params(self, meta: dict[str, Any]) -> None:
        sent = meta.get("CONTENT_TYPE", "")
        try:
            self.content_type, self.content_params = parse_header_parameters(sent)
        except (ValueError, LookupError):  # `charset*=nonsense''x`, say
            # All of it is the type now: one that no parser is for, and that DRF can read.
            self.content_type, self.content_params = sent.replace(";", ","), {}
            meta["CONTENT_TYPE"] = self.content_type
