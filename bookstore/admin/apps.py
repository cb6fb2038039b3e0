from django.apps import AppConfig


class StaffConfig(AppConfig):
    """The tables of the staff's site. The site itself is site.BookstoreAdminConfig, in the place of Django's admin."""

    name = "bookstore.admin"
    label = "staff"
    verbose_name = "Staff"
