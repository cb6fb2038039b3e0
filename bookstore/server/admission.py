"""The WSGI application around Django's: bounds the request, reads its body, and waits for a slot.

In this order, so that no request parses unbounded input, or waits for its client, inside a slot:

1. headers (431) and target (414) that are too long;
2. the queue's length (503);
3. the body (408, 413, 503: `bookstore/server/bodies.py`);
4. a slot (503: `bookstore/server/slots.py`), and Django.

`/health` only passes the first.
"""

import logging
import math
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from time import monotonic, perf_counter
from typing import Any

from django.http import FileResponse
from django.http.response import HttpResponseBase

from bookstore.api.errors import ApiError, ContentTooLarge, InternalError
from bookstore.database import deadlines
from bookstore.server.bodies import Bodies, length_of
from bookstore.server.slots import Kind, Slots, TooBusy, kind_of, public_paths
from bookstore.server.temporary_files import has_no_room

logger = logging.getLogger("bookstore.server")

# Uses no database, and must be answered while everything else waits.
NEVER_WAITS = frozenset({"/health", "/health/"})

# Seconds that a piece of a streamed response waits for a slot: the client has a part already, and cannot retry.
PATIENCE_OF_A_STREAM = 30.0

# Bytes. Parsing of some headers is worse than linear. 8 KB is nginx's default. The server itself bounds the block of
# all headers (`bookstore/server/main.py`).
LONGEST_HEADER = 8_190
# email.message, which Django reads it with, takes the square of its length where it has a quotation mark.
LONGEST_CONTENT_TYPE = 256
# Headers that Django, DRF, middleware or our code parse. Others are bounded only by the block.
PARSED = (
    "HTTP_ACCEPT",
    "HTTP_ACCEPT_ENCODING",
    "HTTP_ACCEPT_LANGUAGE",
    "HTTP_ACCESS_CONTROL_REQUEST_HEADERS",
    "HTTP_AUTHORIZATION",
    "HTTP_COOKIE",
    "HTTP_FORWARDED",
    "HTTP_HOST",
    "HTTP_IDEMPOTENCY_KEY",
    "HTTP_IF_MATCH",
    "HTTP_IF_MODIFIED_SINCE",
    "HTTP_IF_NONE_MATCH",
    "HTTP_ORIGIN",
    "HTTP_RANGE",
    "HTTP_REFERER",
    "HTTP_X_CSRFTOKEN",
    "HTTP_X_FORWARDED_FOR",
    "HTTP_X_FORWARDED_HOST",
    "HTTP_X_FORWARDED_PROTO",
    "HTTP_X_REAL_IP",
    "HTTP_X_REQUEST_ID",
)

StartResponse = Callable[..., Any]


class HeadersTooLong(ApiError):
    status_code = 431
    code = "HEADERS_TOO_LARGE"
    message = f"A header is longer than the {LONGEST_HEADER} bytes that are read."

    def __init__(self, name: str) -> None:
        longest = LONGEST_CONTENT_TYPE if name == "CONTENT_TYPE" else LONGEST_HEADER
        shown = name.removeprefix("HTTP_").replace("_", "-").title()[:40]
        super().__init__(f"The header {shown} is longer than the {longest} bytes that are read.")


class TargetTooLong(ApiError):
    status_code = 414
    code = "URI_TOO_LONG"
    message = f"Path and query are longer than the {LONGEST_HEADER} bytes that are read."


class Here:
    """A request that is queued or running, for `bookstore/server/watch.py`."""

    __slots__ = ("address", "reads", "since")

    def __init__(self, address: str) -> None:
        self.address = address
        self.since = monotonic()
        self.reads = False  # whether its body is being read


class Admission:
    """Passes requests to `application`, Django's handler.

    `refuse` is called as a WSGI application, with the time of the request's arrival, and the error unless it is a 503.
    """

    def __init__(
        self,
        application: Callable[..., HttpResponseBase],
        slots: Slots,
        *,
        largest_body: int,
        largest_upload: int,
        refuse: Callable[..., Iterable[bytes]],
        longest: float = math.inf,
    ) -> None:
        self.application, self.slots = application, slots
        self.bodies = Bodies()
        self.largest_body, self.largest_upload = largest_body, largest_upload
        self.longest = longest  # seconds from arrival in the queue to the last answer of the database
        self.refuse = refuse
        self.public = public_paths()
        self.here: set[Here] = set()

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        begun = perf_counter()
        here = Here(environ.get("REMOTE_ADDR", ""))
        self.here.add(here)
        try:
            check_lengths(environ)
            if environ.get("PATH_INFO") in NEVER_WAITS:
                return self.application(environ, start_response)
            with self.slots:
                kind = kind_of(environ, self.public)
                staff = kind is Kind.STAFF
                here.reads = True
                with self.body_of(environ, staff=staff):
                    here.reads = False
                    # The deadline includes the queue. Staff have none, because of imports: only the timeout of each
                    # statement.
                    deadlines.begin(math.inf if staff else self.longest)
                    return self.serve(environ, start_response, kind)
        except TooBusy:
            return self.refuse(environ, start_response, begun)
        except ApiError as error:
            return self.refuse(environ, start_response, begun, error)
        except Exception:  # from outside of Django's handler, which handles its own
            return self.refuse(environ, start_response, begun, InternalError())
        finally:
            deadlines.end()
            self.here.discard(here)

    def body_of(self, environ: dict[str, Any], *, staff: bool) -> Any:
        """The body, to be closed by a `with`. Raises ApiError, TooBusy."""
        largest = self.largest_upload if staff else self.largest_body
        if staff and length_of(environ) > largest:
            raise ContentTooLarge(f"The file is larger than the {largest // 1_048_576} MB that are read.")
        try:
            return closing(self.bodies.read(environ, largest=largest, upload=staff))
        except OSError as error:
            if not has_no_room(error):
                raise
            logger.error("TMPDIR has no space for a body (%s): its request gets 503", error.strerror)
            raise TooBusy from error

    def serve(self, environ: dict[str, Any], start_response: StartResponse, kind: Kind) -> Iterable[bytes]:
        with self.slots.slot(kind):
            response = self.application(environ, start_response)
            if not response.streaming:
                # Closed here, while this thread has the connection, which Django's request_finished handlers use.
                content = [response.content]  # type: ignore[attr-defined]  # only a streaming response lacks it
                response.close()
                return content
        return response if isinstance(response, FileResponse) else StreamInSlots(response, self.slots, kind)


class StreamInSlots:
    """A streamed response that takes a slot for each piece only.

    So an export of minutes holds no slot. Pieces may be made on different connections: the generator must not keep a
    cursor or a transaction open between them. A FileResponse needs no database, and is sent without slots.
    """

    def __init__(self, response: HttpResponseBase, slots: Slots, kind: Kind) -> None:
        self.response, self.slots, self.kind = response, slots, kind
        self.pieces = iter(response)

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        """Raises TooBusy, upon which the server closes the connection: the client sees that the response is
        incomplete."""
        with self.slots.slot(self.kind, patience=PATIENCE_OF_A_STREAM):
            piece: bytes = next(self.pieces)
            return piece

    def close(self) -> None:
        self.response.close()


def check_lengths(environ: dict[str, Any]) -> None:
    """Raises HeadersTooLong, TargetTooLong. Takes a microsecond."""
    if len(environ.get("CONTENT_TYPE", "")) > LONGEST_CONTENT_TYPE:
        raise HeadersTooLong("CONTENT_TYPE")
    for name in PARSED:
        value = environ.get(name)
        if value is not None and len(value) > LONGEST_HEADER:
            raise HeadersTooLong(name)
    if len(environ.get("PATH_INFO", "")) + len(environ.get("QUERY_STRING", "")) > LONGEST_HEADER:
        raise TargetTooLong
