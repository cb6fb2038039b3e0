"""The connections of this worker's clients: how long each has been silent, and how to end one. Linux only.

The server does not tell the application the connection of a request, or when it last received data. Linux does, by
`TCP_INFO` of each descriptor. On other systems `clients` returns none, and no connection is ended: enough for
development.
"""

import os
import socket
import struct
import sys
from contextlib import suppress
from typing import NamedTuple

DESCRIPTORS = "/proc/self/fd"
# In Linux's `struct tcp_info`, an interface that only grows: 8 bytes, then 32-bit numbers, of which the tenth and the
# twelfth are the milliseconds since data was last sent and last received; and from byte 128 on, those received.
INFO = struct.Struct("=8x36xI4xI72xQ")
AVAILABLE = sys.platform == "linux" and os.path.isdir(DESCRIPTORS)


class Client(NamedTuple):
    descriptor: int
    peer: tuple[str, int]
    silent: float  # seconds since data came from it, or since it connected
    unanswered: float  # seconds since data was sent to it, or since it connected
    received: int  # bytes, since it connected


def number_open() -> int:
    """Descriptors that this process has open, connections of clients among them."""
    return len(os.listdir(DESCRIPTORS)) if AVAILABLE else 0


def clients(port: int) -> list[Client]:
    """Connections to our port. About 10 microseconds for each descriptor."""
    if not AVAILABLE:
        return []
    found = []
    for name in os.listdir(DESCRIPTORS):
        with suppress(OSError):  # no socket, or closed by now
            client = look_at(int(name), port)
            if client:
                found.append(client)
    return found


def look_at(descriptor: int, port: int) -> Client | None:
    """None for what is no client's connection: a listener, a connection to the database."""
    link = socket.socket(fileno=descriptor)
    try:
        if link.family not in (socket.AF_INET, socket.AF_INET6) or link.getsockname()[1] != port:
            return None
        host, peer_port = link.getpeername()[:2]
        sent, came, received = INFO.unpack(link.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, INFO.size))
        return Client(descriptor, (host, peer_port), came / 1000, sent / 1000, received)
    finally:
        link.detach()


def stop_reading(client: Client) -> bool:
    """Lets the server see the end of what this client sends; what is answered still reaches it.

    An idle connection is closed by that, a body that is being read is cut short. False when it was gone already: its
    descriptor may be another's by now, so it is looked at once more, by a copy that nobody else can close.
    """
    try:
        with socket.socket(fileno=os.dup(client.descriptor)) as link:
            if link.getpeername()[:2] != client.peer:
                return False
            link.shutdown(socket.SHUT_RD)
            return True
    except OSError:
        return False
