"""What `manage.py clean_up` deletes of accounts."""

from bookstore.accounts.models import LoginSession, ThrottleWindow
from bookstore.database.deletion import delete_in_batches


def clean_up(batch: int) -> str:
    sessions = delete_in_batches(LoginSession.objects.expired().order_by("expires_at"), batch)
    windows = delete_in_batches(ThrottleWindow.objects.expired().order_by("expires_at"), batch)
    return f"Deleted {sessions} expired sessions and {windows} expired counts of attempts."
