"""The HTTP client of the tests and proofs: one connection to a server on this machine, kept open."""

import json
import time
from collections.abc import Iterator
from email.message import Message
from http.client import HTTPConnection, HTTPException
from typing import Any, NamedTuple, Self

# Seconds. Longer than any bound that is promised: what takes this long is a hang.
GIVE_UP = 30


class Answer(NamedTuple):
    """Status 0: none came, the connection was lost or refused. Names of headers are compared without case."""

    status: int
    body: Any  # what its JSON says; None where it is none
    headers: Message = Message()
    seconds: float = 0
    content: bytes = b""

    @property
    def code(self) -> str:
        return str(self.body.get("code", "")) if isinstance(self.body, dict) else ""


class Client:
    """Connects at the first call, and again after a lost connection. Not for use by two threads."""

    def __init__(self, port: int, token: str = "", *, host: str = "127.0.0.1", timeout: float = GIVE_UP) -> None:
        self.host, self.port, self.timeout = host, port, timeout
        self.headers = {"Authorization": f"Bearer {token}"} if token else {}
        self.connection: HTTPConnection | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def __call__(self, method: str, path: str, body: Any = None, token: str = "", **headers: str) -> Answer:
        """Sends a body as JSON; text and bytes as they are, and the pieces of an iterator in chunks.

        A header may be named `if_match`. `token` is for this call only. Raises OSError or HTTPException without an
        answer.
        """
        sent = self.headers | {name.replace("_", "-"): value for name, value in headers.items()}
        if token:
            sent["Authorization"] = f"Bearer {token}"
        if not isinstance(body, str | bytes | Iterator | None):
            body = json.dumps(body)
            sent = {"Content-Type": "application/json"} | sent
        begun = time.perf_counter()
        try:
            if self.connection is None:
                self.connection = HTTPConnection(self.host, self.port, timeout=self.timeout)
            self.connection.request(method, path, body, sent)
            response = self.connection.getresponse()
            content = response.read()
        except (OSError, HTTPException):
            self.close()
            raise
        seconds = time.perf_counter() - begun
        parsed = json.loads(content) if content and is_json(response.headers) else None
        return Answer(response.status, parsed, response.headers, seconds, content)

    @property
    def local_port(self) -> int:
        """By which the server's side knows this connection; 0 when there is none."""
        return int(self.connection.sock.getsockname()[1]) if self.connection and self.connection.sock else 0

    def close(self) -> None:
        if self.connection:
            self.connection.close()
            self.connection = None


class PatientClient(Client):
    """Answers with status 0 where the connection was lost or refused."""

    def __call__(self, method: str, path: str, body: Any = None, token: str = "", **headers: str) -> Answer:
        begun = time.perf_counter()
        try:
            return super().__call__(method, path, body, token, **headers)
        except (OSError, HTTPException):
            return Answer(0, None, seconds=time.perf_counter() - begun)


def is_json(headers: Message) -> bool:
    """Content-Encoding: the content is not what is sent, and the caller's to unpack."""
    kind = headers.get_content_subtype()
    return kind.rpartition("+")[2] == "json" and "Content-Encoding" not in headers
