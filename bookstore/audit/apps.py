from typing import Any

from django.apps import AppConfig


class AuditConfig(AppConfig):
    name = "bookstore.audit"
    label = "audit"
    verbose_name = "History"

    def forget(self, user: Any) -> None:
        """Takes the email of a customer who deletes the account out of the history; what was done stays."""
        from bookstore.audit.forgetting import forget

        forget(user)
