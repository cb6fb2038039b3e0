from django.apps import AppConfig


class StaffConfig(AppConfig):
    """The models of the staff's site. The site itself is site.BookstoreAdminConfig, which replaces Django's admin."""

    name = "bookstore.admin"
    label = "staff"
    verbose_name = "Staff"
