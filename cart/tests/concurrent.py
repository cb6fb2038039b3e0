"""Runs two callers at once, each on its own connection."""

from threading import Thread

from django.db import connection


def in_thread(work):
    """Runs it on a connection of its own; the list gets what it raised."""
    raised = []

    def run():
        try:
            work()
        except Exception as error:
            raised.append(error)
        finally:
            connection.close()

    thread = Thread(target=run)
    thread.start()
    return thread, raised
