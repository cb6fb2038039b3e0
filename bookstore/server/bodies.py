"""Reads a request's body before the request takes a slot, so that a slow client does not hold one.

Bounds of each worker:

| of | bound | then |
|---|---|---|
| one body | 1 MB; in the admin, where staff import files, LARGEST_UPLOAD | 413; it is read and discarded |
| memory for one body | IN_MEMORY | the rest goes to an unnamed file in TMPDIR |
| these files together | FILES_TOGETHER, and as much again for uploads | 503 |
| slowness | RATE, after GRACE seconds | 408 (`bookstore/server/watch.py` ends the wait) |
| bodies that are being read | MOST_READERS | 408 for the slowest |
"""

from collections.abc import Iterator
from contextlib import suppress
from io import BytesIO
from tempfile import TemporaryFile
from threading import Lock
from time import monotonic
from typing import IO, Any

from bookstore.api.errors import ApiError, ParseError
from bookstore.server.limits import LARGEST_QUEUE
from bookstore.server.slots import TooBusy

PIECE = 16_384  # bytes of one read: the granularity of progress
IN_MEMORY = 65_536  # bytes
FILES_TOGETHER = 64_000_000  # bytes
RATE = 4_096  # bytes a second
GRACE = 10.0  # seconds
MOST_READERS = LARGEST_QUEUE * 3 // 4
# Bytes of a too large body that are read and discarded: a client or proxy may only read the response after it has sent
# everything.
THROWN_AWAY = 26_214_400


class CutShort(ParseError):
    """The body is shorter than its Content-Length: the client disconnected, or sent a wrong length.

    The received part may be valid JSON with another meaning.
    """

    def __init__(self, announced: int, came: int) -> None:
        super().__init__(f"The body was cut short: {announced} bytes were announced, {came} came.")


class TooSlow(ApiError):
    status_code = 408
    code = "REQUEST_TIMEOUT"
    message = "The body came too slowly, and was not waited for. Nothing was changed."
    headers = {"Connection": "close"}


class Reader:
    """A thread that reads a body. The server's `read` has no timeout: see `bookstore/server/watch.py`."""

    __slots__ = ("address", "began", "came", "given_up")

    def __init__(self, address: str) -> None:
        self.address = address
        self.began = monotonic()
        self.came = 0  # bytes
        self.given_up = False

    def is_late(self, now: float) -> bool:
        return self.came < (now - self.began - GRACE) * RATE


class Bodies:
    """The bodies that one worker reads. Thread-safe."""

    def __init__(self, *, files_together: int = FILES_TOGETHER, most_readers: int = MOST_READERS) -> None:
        self.files_together, self.most_readers = files_together, most_readers
        self._mutex = Lock()
        self._in_files = {True: 0, False: 0}  # bytes, of uploads and of others
        self._readers: set[Reader] = set()

    def read(self, environ: dict[str, Any], *, largest: int, upload: bool = False) -> "IO[bytes] | BoundedFile":
        """Reads the whole body into `wsgi.input`, and returns it. Close it to release its space.

        A body larger than `largest` is discarded, and `wsgi.input` is empty: Django refuses it by its CONTENT_LENGTH. A
        chunked body has no announced size, and Django would treat it as empty: it is read up to `largest` and one byte
        more, which Django refuses. Whether its last chunk came is unknown: docs/decisions/0005-errors.md.

        Raises CutShort, TooSlow; TooBusy beyond FILES_TOGETHER; OSError when TMPDIR is full.
        """
        in_chunks = "HTTP_TRANSFER_ENCODING" in environ  # a Content-Length beside it is ignored
        announced = largest + 1 if in_chunks else length_of(environ)
        if not announced:
            return BytesIO()
        too_large = announced > largest and not in_chunks
        body: IO[bytes] | BoundedFile = BytesIO()
        reader = Reader(environ.get("REMOTE_ADDR", ""))
        self._readers.add(reader)
        try:
            for piece in pieces(environ["wsgi.input"], what_to_read(environ, announced) if too_large else announced):
                reader.came += len(piece)
                if too_large:
                    continue
                if reader.came > IN_MEMORY and isinstance(body, BytesIO):
                    body = self._in_file(body, upload=upload)
                body.write(piece)
            if reader.given_up:
                raise TooSlow
            if reader.came < announced and not in_chunks and not too_large:
                raise CutShort(announced, reader.came)
        except BaseException:
            body.close()
            raise
        finally:
            self._readers.discard(reader)
        body.seek(0)
        environ["wsgi.input"] = body
        if in_chunks:
            environ["CONTENT_LENGTH"] = str(reader.came)
        return body

    def is_reading(self, reader: Reader) -> bool:
        return reader in self._readers

    def give_up_slow_ones_of(self, address: str) -> None:
        """Gives up all slow bodies of a client before its connections are closed, which cannot be matched to bodies."""
        now = monotonic()
        for reader in list(self._readers):
            if reader.address == address and reader.came < (now - reader.began) * RATE:
                reader.given_up = True

    def late(self) -> list[Reader]:
        """Readers that became late, or that exceed MOST_READERS. Returns each only once."""
        now = monotonic()
        readers = [reader for reader in list(self._readers) if not reader.given_up]
        late = {reader for reader in readers if reader.is_late(now)}
        if (too_many := len(readers) - len(late) - self.most_readers) > 0:
            # The slowest first, in bytes a second.
            others = sorted(set(readers) - late, key=lambda reader: reader.came / (now - reader.began + 0.001))
            late.update(others[:too_many])
        for reader in late:
            reader.given_up = True
        return list(late)

    def _in_file(self, begun: BytesIO, *, upload: bool) -> "BoundedFile":
        file = BoundedFile(self, upload=upload)
        try:
            file.write(begun.getvalue())
        except BaseException:
            file.close()
            raise
        return file

    def count(self, size: int, *, upload: bool) -> None:
        """Reserves bytes of files, or releases them (negative). Raises TooBusy."""
        with self._mutex:
            if size > 0 and self._in_files[upload] + size > self.files_together:
                raise TooBusy
            self._in_files[upload] += size


class BoundedFile:
    """An unnamed temporary file whose bytes are counted until it is closed."""

    def __init__(self, bodies: Bodies, *, upload: bool) -> None:
        self.bodies, self.upload, self.size = bodies, upload, 0
        self.file = TemporaryFile(prefix="bookstore-body-")  # noqa: SIM115  # closed by `close`
        self.read, self.readline, self.seek = self.file.read, self.file.readline, self.file.seek

    def write(self, data: bytes) -> int:
        self.bodies.count(len(data), upload=self.upload)
        self.size += len(data)
        return self.file.write(data)

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.file)

    def close(self) -> None:
        self.bodies.count(-self.size, upload=self.upload)
        self.size = 0
        with suppress(OSError):  # the file is discarded anyway
            self.file.close()


def length_of(environ: dict[str, Any]) -> int:
    """Content-Length, or 0 when it is missing or malformed."""
    length = environ.get("CONTENT_LENGTH") or ""
    return int(length) if length.isascii() and length.isdigit() and len(length) < 20 else 0


def what_to_read(environ: dict[str, Any], announced: int) -> int:
    """Bytes of a too large body to read: none with `Expect`, because the client has not sent it yet."""
    return 0 if "HTTP_EXPECT" in environ else min(announced, THROWN_AWAY)


def pieces(source: Any, announced: int) -> Iterator[bytes]:
    """Reads up to `announced` bytes, in pieces."""
    left = announced
    while left > 0 and (piece := source.read(min(PIECE, left))):
        left -= len(piece)
        yield piece
