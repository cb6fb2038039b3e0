#!/usr/bin/env python
"""Django's command line for this project."""

import os
import signal
import sys


def main() -> None:
    if sys.version_info < (3, 11):  # noqa: UP036  # an older Python prints this message
        version = ".".join(map(str, sys.version_info[:2]))
        sys.exit("This needs Python 3.11 or newer, and is run by Python " + version + ": `make run` looks for one.")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bookstore.settings")
    try:
        from django.core.management import execute_from_command_line
        from django.db import DatabaseError, InterfaceError
    except ImportError:
        sys.exit("Django is not installed in this Python. Run `make run`, or `.venv/bin/python manage.py …`.")
    try:
        try:
            execute_from_command_line(sys.argv)
        finally:
            print(end="", flush=True)  # here, where a broken pipe can still be caught
    except (DatabaseError, InterfaceError):
        explain()
        raise
    except KeyboardInterrupt:  # the command has printed its own message
        sys.exit(130)
    except BrokenPipeError:
        end_quietly()


def explain() -> None:
    """Exits with one line when the database is down or lacks migrations; `--traceback` shows more."""
    from django.core.management import CommandError

    from bookstore.management.commands.serve import check_answers, check_migrations

    if "--traceback" in sys.argv:
        return
    try:
        check_answers()
        if sys.argv[1:2] != ["migrate"]:
            check_migrations()
    except CommandError as error:
        sys.exit("CommandError: " + str(error))


def end_quietly() -> None:
    """Exits as other programs whose output nobody reads any more: `manage.py clean_up | head -1`."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):  # Python flushes both at the exit
        os.dup2(nowhere, stream)
    sys.exit(128 + signal.SIGPIPE)


if __name__ == "__main__":
    main()
