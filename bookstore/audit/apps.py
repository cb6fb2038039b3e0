from typing import Any

from django.apps import AppConfig


class AuditConfig(AppConfig):
    name = "bookstore.audit"
    label = "audit"
    verbose_name = "History"

    def forget(self, user: Any) -> None:
        """Removes the email of a customer who deletes the account from the history; the events stay."""
        from bookstore.audit.forgetting import forget

        forget(user)
