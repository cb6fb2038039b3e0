"""granian, with a pause between SIGTERM and its end, in which the balancer learns to look elsewhere.

    python -m bookstore.server.draining --seconds 4 ARGUMENTS OF GRANIAN

What `manage.py serve` starts when DRAIN is not 0. On SIGTERM `/ready` becomes 503 at once, while every request is still
served; that many seconds later granian ends as it does on SIGTERM: it takes no more connections, and requests under way
finish. Ctrl-C, or a second SIGTERM, does not wait.
"""

import os
import shutil
import signal
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

# Where the workers, processes of their own, look: a folder of this server's, with a file in it once it drains.
VARIABLE = "BOOKSTORE_DRAINING"


def begun() -> bool:
    """Whether this server is about to end."""
    folder = os.environ.get(VARIABLE)
    return folder is not None and Path(folder, "begun").exists()


def main() -> None:
    """Never returns: granian ends the process."""
    if len(sys.argv) < 3 or sys.argv[1] != "--seconds":
        sys.exit("usage: python -m bookstore.server.draining --seconds N ARGUMENTS OF GRANIAN")
    seconds = float(sys.argv[2])
    del sys.argv[1:3]

    # Not at the top: /ready imports this file, and with it the shell.
    from granian import cli
    from granian.server import Server

    class Draining(Server):  # type: ignore[valid-type,misc]
        draining = False

        def signal_handler_interrupt(self, *args: Any, **kwargs: Any) -> None:
            interrupt = super().signal_handler_interrupt
            if self.draining or not args or args[0] != signal.SIGTERM:
                interrupt(*args, **kwargs)
                return
            self.draining = True
            Path(os.environ[VARIABLE], "begun").touch()
            later = threading.Timer(seconds, interrupt, args, kwargs)
            later.daemon = True
            later.start()

    os.environ[VARIABLE] = tempfile.mkdtemp(prefix="bookstore-draining-")
    cli.Server = Draining  # type: ignore[attr-defined]  # the one that its command line starts
    try:
        cli.entrypoint()
    finally:
        shutil.rmtree(os.environ[VARIABLE], ignore_errors=True)


if __name__ == "__main__":
    main()
