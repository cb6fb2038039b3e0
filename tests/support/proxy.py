"""A TCP proxy to the database that can drop all data, as a frozen pooler or a lost network does."""

import socket
import threading
from contextlib import suppress
from types import TracebackType
from typing import Self


class SwallowingProxy:
    """Forwards to `host:port`. While `swallows` is set it accepts connections and bytes, and forwards nothing.

    TCP acknowledges every byte, so that only the missing answer shows it.
    """

    def __init__(self, host: str, port: int) -> None:
        self.target = (host, port)
        self.swallows = threading.Event()
        self.sockets: list[socket.socket] = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.listener.getsockname()[1]

    def __enter__(self) -> Self:
        threading.Thread(target=self.accept, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for each in [self.listener, *self.sockets]:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def accept(self) -> None:
        with suppress(OSError):  # the listener was closed
            while True:
                near, _ = self.listener.accept()
                try:
                    far = socket.create_connection(self.target)
                except OSError:  # the server is down
                    near.close()
                    continue
                self.sockets += [near, far]
                for pair in ((near, far), (far, near)):
                    threading.Thread(target=self.forward, args=pair, daemon=True).start()

    def forward(self, source: socket.socket, target: socket.socket) -> None:
        """Forwards until either side ends. Dropped data is lost, and the connection with it."""
        lost = False
        with suppress(OSError):
            while data := source.recv(65536):
                lost = lost or self.swallows.is_set()
                if not lost:
                    target.sendall(data)
        with suppress(OSError):
            target.shutdown(socket.SHUT_RDWR)
