"""The steps of an import as tasks, for files too large for a request. Each can be run again, and beside itself."""

from django.db import transaction

from bookstore.audit.actor import Actor
from bookstore.tasks import task
from catalog.importing import steps
from catalog.importing.staged import BookImport

SMALL_FILE = 500_000  # bytes, and ...
FEW_ROWS = 1_000  # ... rows that are read, and loaded, in the request


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
    """Read a small file here, and leave any other to the task."""
    if started.size > SMALL_FILE or not steps.read(started, at_most=FEW_ROWS):
        read_import.enqueue(started.pk)


def confirm(shown: BookImport, actor: Actor) -> str:
    """Load what was shown, here or by the task. Why not, in words; nothing when it is loaded or will be."""
    few = shown.rows <= FEW_ROWS
    with transaction.atomic():
        reason = steps.confirm(shown, actor)
        if not reason and not few:
            load_import.enqueue(shown.pk)
    if not reason and few:
        steps.load(shown)
    return reason


def go_on(stuck: BookImport) -> None:
    """Start the step again that an import is in, for one whose process died."""
    if stuck.state == BookImport.State.READING:
        read_import.enqueue(stuck.pk)
    elif stuck.state == BookImport.State.LOADING:
        load_import.enqueue(stuck.pk)
