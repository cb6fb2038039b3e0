from django.apps import AppConfig


class AuditConfig(AppConfig):
    name = "bookstore.audit"
    label = "audit"
    verbose_name = "History"
