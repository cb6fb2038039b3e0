"""Lists the client connections of this worker with their idle time, and ends one. Linux only.

The server does not tell the application which connection a request has, or when it last received data. Linux does, by
`TCP_INFO` of each descriptor. On other systems `clients` returns none, which is enough for development.
"""

import os
import socket
import struct
import sys
from contextlib import suppress
from typing import NamedTuple

DESCRIPTORS = "/proc/self/fd"
# Linux's `struct tcp_info`, to which new fields are only appended: 8 bytes, then 32-bit numbers, of which the tenth and
# the twelfth are the milliseconds since data was last sent and received; at byte 128 the bytes received.
INFO = struct.Struct("=8x36xI4xI72xQ")
AVAILABLE = sys.platform == "linux" and os.path.isdir(DESCRIPTORS)


class Client(NamedTuple):
    descriptor: int
    peer: tuple[str, int]
    silent: float  # seconds since data was received from it, or since it connected
    unanswered: float  # seconds since data was sent to it, or since it connected
    received: int  # bytes, since it connected


def number_open() -> int:
    """The number of open descriptors of this process."""
    return len(os.listdir(DESCRIPTORS)) if AVAILABLE else 0


def clients(port: int) -> list[Client]:
    """The client connections to our port. About 10 µs for each descriptor."""
    if not AVAILABLE:
        return []
    found = []
    for name in os.listdir(DESCRIPTORS):
        with suppress(OSError):  # not a socket, or closed meanwhile
            client = client_at(int(name), port)
            if client:
                found.append(client)
    return found


def client_at(descriptor: int, port: int) -> Client | None:
    """The client of a descriptor; None for another socket, such as a listener or a database connection."""
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
    """Shuts down the receiving side of a connection; a response can still be sent.

    The server then closes an idle connection, and reads the end of a body. False if the connection was closed already:
    the descriptor may have been reused, so the peer is compared again, on a duplicate that nobody else can close.
    """
    try:
        with socket.socket(fileno=os.dup(client.descriptor)) as link:
            if link.getpeername()[:2] != client.peer:
                return False
            link.shutdown(socket.SHUT_RD)
            return True
    except OSError:
        return False
