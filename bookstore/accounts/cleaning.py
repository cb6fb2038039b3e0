"""What `manage.py clean_up` deletes of accounts."""

from bookstore.accounts.models import EmailChange, LoginSession, ThrottleWindow
from bookstore.database.deletion import delete_in_batches


def clean_up(batch: int) -> str:
    sessions = delete_in_batches(LoginSession.objects.expired().order_by("expires_at"), batch)
    windows = delete_in_batches(ThrottleWindow.objects.expired().order_by("expires_at"), batch)
    changes = delete_in_batches(EmailChange.objects.outdated().order_by("pk"), batch)
    return (
        f"Expired sessions: {sessions} deleted. Expired counts of attempts: {windows} deleted.\n"
        f"Changes of an email that nobody confirmed in time: {changes} deleted."
    )
