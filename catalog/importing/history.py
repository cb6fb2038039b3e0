"""Records an import in the staff's history: one event, with one change for each book."""

from collections.abc import Sequence

from bookstore.audit.actor import Actor
from bookstore.audit.models import AuditChange, AuditEvent
from bookstore.audit.recording import added, changed, continue_event, record
from catalog.importing.loader import Planned


class History:
    """The event of one import, created in the transaction of the first batch that changes something."""

    def __init__(self, actor: Actor, file_name: str, event_id: int | None = None) -> None:
        self.actor, self.file_name = actor, file_name
        self.event_id = event_id

    def write(self, planned: Sequence[Planned]) -> None:
        """Adds the changes of a batch. 3 queries, 1 more when genres changed."""
        changes = [change_of(plan) for plan in planned if plan.outcome in {"new", "changed"}]
        if not changes:
            return
        event = AuditEvent.objects.filter(pk=self.event_id).first() if self.event_id else None
        if event is None:
            self.event_id = record(self.actor, f"Imported “{self.file_name}”.", changes).pk
        else:
            continue_event(event, changes)


def change_of(plan: Planned) -> AuditChange:
    assert plan.book is not None  # noqa: S101  # rows that are new or changed have a book
    if plan.outcome == "new":
        return added(plan.book)
    differences = {
        name: (plan.genre_before, plan.book.genre_id) if name == "genre" else change
        for name, change in plan.changes.items()
    }
    return changed(plan.book, differences)
