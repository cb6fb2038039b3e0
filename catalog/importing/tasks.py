"""The steps of an import as tasks, for files too large for a request. Each may run again, and twice at once."""

from django.db import transaction

from bookstore.audit.actor import Actor
from bookstore.tasks import task
from catalog.importing import steps
from catalog.importing.staged import BookImport

SMALL_FILE = 500_000  # bytes, and ...
FEW_ROWS = 1_000  # ... rows that are read and loaded within the request


@task()
def read_import(import_id: int) -> None:
    started = BookImport.objects.filter(pk=import_id).first()
    if started:
        steps.read(started)


@task()
def load_import(import_id: int) -> None:
    confirmed = BookImport.objects.filter(pk=import_id).first()
    if confirmed:
        steps.load(confirmed)


def read_now_or_later(started: BookImport) -> None:
    """Reads a small file at once, and enqueues the task for any other."""
    if started.size > SMALL_FILE or not steps.read(started, at_most=FEW_ROWS):
        read_import.enqueue(started.pk)


def confirm(shown: BookImport, actor: Actor, reader: str, *, retitle: bool) -> str:
    """Loads the confirmed rows, at once or by the task. Returns the reason to refuse it, for staff, or ""."""
    few = shown.rows <= FEW_ROWS
    with transaction.atomic():
        reason = steps.confirm(shown, actor, reader, retitle=retitle)
        if not reason and not few:
            load_import.enqueue(shown.pk)
    if not reason and few:
        steps.load(shown)
    return reason


def go_on(stuck: BookImport) -> None:
    """Enqueues the current step of an import again, after its process died."""
    if stuck.state == BookImport.State.READING:
        read_import.enqueue(stuck.pk)
    elif stuck.state == BookImport.State.LOADING:
        load_import.enqueue(stuck.pk)
