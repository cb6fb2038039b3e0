"""The pages of the history: tests/support/staff_pages.py."""

from typing import Any

from bookstore.audit.actor import Actor
from bookstore.audit.recording import record
from tests.support.staff_pages import ELSEWHERE, NONE_TO_ADD, READ, of_model, pages

PAGES = {
    # The history is read-only.
    **of_model(
        "audit/auditevent",
        bulk=False,
        actions=READ,
        add=pages(NONE_TO_ADD, NONE_TO_ADD),
        change=NONE_TO_ADD,
        delete=NONE_TO_ADD,
    ),
    "audit/auditevent/<path:object_id>/history/": pages(ELSEWHERE, ELSEWHERE),
    "audit/auditevent/export/": pages(READ, READ),
    "audit/auditevent/<int:event_id>/export/": pages(READ, READ),
}
MODELS: tuple[str, ...] = ()
FORMS: dict[str, dict[str, Any]] = {}
ACTIONS: dict[str, str] = {}
ONLY_LED_ON: set[str] = set()


def furnish(site: Any) -> None:
    site.objects["audit/auditevent/"] = record(Actor.of_command("manage.py x"), "Added “Buyers”.", [])
