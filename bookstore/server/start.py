"""Checks and prepares the machine before the server starts: address, port, open files, folder for metrics."""

import errno
import os
import resource
import socket
import stat
import sys
import tempfile
from pathlib import Path

from django.core.management.base import CommandError

from bookstore.server.limits import MOST_CONNECTIONS


def free_address(host: str, port: int) -> str:
    """The numeric address of `host`, for granian. Raises CommandError unless `port` is free there.

    Granian uses SO_REUSEPORT: a second server on the port would start silently and take half of the requests.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except (OSError, UnicodeError) as error:
        raise CommandError(
            f"HOST is {host!r}, which has no address: give --host an address of this machine."
        ) from error
    with socket.socket(family, kind, protocol) as probe:
        # As servers do: allows a port with connections in TIME_WAIT, but not one with a listener.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
            probe.listen()
        except PermissionError as error:
            raise CommandError(f"PORT is {port}, which only root may open: choose another, such as 8000.") from error
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise taken(host, port) from error
            raise CommandError(f"HOST is {host!r}, which is not an address of this machine: try 127.0.0.1.") from error
    return str(address[0])


def taken(host: str, port: int) -> CommandError:
    return CommandError(
        f"PORT is {port}, which another program serves on {host}: stop that one, or choose another port "
        f"(PORT={port + 1 if port < 65535 else 8000})."
    )


def claim(host: str, address: str, port: int) -> socket.socket | None:
    """A lock on the port, so that one of two simultaneous starts fails: both find the port free until one listens.

    The lock is a name in Linux's abstract socket namespace: it has no file, and is released when its last holder ends.
    It is held while the returned socket is open, across exec and in the workers. None on other systems.
    """
    if sys.platform != "linux":
        return None
    name = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    try:
        name.bind(f"\0bookstore-serve-{address}-{port}")
    except OSError as error:
        name.close()
        raise taken(host, port) from error
    name.set_inheritable(True)
    return name


def metrics_folder(port: int) -> str:
    """An empty private folder for the workers' shared counters, one for each port.

    Deletes the files of an earlier run, which would be counted again.
    """
    folder = Path(tempfile.gettempdir(), f"bookstore-metrics-{os.getuid()}-{port}")
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        owner = folder.lstat()
        if not stat.S_ISDIR(owner.st_mode) or owner.st_uid != os.getuid():
            raise PermissionError(errno.EPERM, "it is somebody else's")
        for left in folder.glob("*.db"):
            left.unlink()
    except OSError as error:
        raise CommandError(
            f"METRICS_ENABLED is set, and the workers' folder {folder} cannot be used ({error.strerror}): "
            "set TMPDIR to a folder for temporary files that can be written to."
        ) from error
    return str(folder)


def allow_connections() -> None:
    """Raises the soft limit of open files, often 1,024, to what MOST_CONNECTIONS needs, up to the hard limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = MOST_CONNECTIONS + 512
    if soft != resource.RLIM_INFINITY and soft < needed:
        limit = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
