"""The groups of staff that a new shop has. An app declares its permissions for each group:

    class CatalogConfig(AppConfig):
        staff_groups = {"Catalogue": ["view_book", "change_book"]}

`make_declared_groups` runs after every `migrate` (Django's post_migrate, as Django creates permissions) and grants each
of these once: later changes or deletions of groups by staff stay.
"""

from typing import Any

from django.apps import AppConfig
from django.contrib.auth.management import create_permissions
from django.contrib.auth.models import Group, Permission
from django.db import DEFAULT_DB_ALIAS, connections, models, transaction


class StaffGroupGrant(models.Model):
    """Records that the permissions of one app for one group were granted, or left out because the shop had that
    group."""

    group = models.CharField(max_length=150)
    app_label = models.CharField(max_length=100)
    # False if the shop already had a group of that name.
    granted = models.BooleanField()

    class Meta:
        db_table = "staff_group_grants"
        default_permissions = ()  # not shown in the admin
        constraints = (models.UniqueConstraint(fields=["group", "app_label"], name="uq_staff_group_grants"),)

    def __str__(self) -> str:
        return f"{self.group}: {self.app_label}"


def declared_by(app: AppConfig) -> dict[str, list[str]]:
    """Codenames of permissions, by the name of the group."""
    declared: dict[str, list[str]] = getattr(app, "staff_groups", {})
    return declared


def make_declared_groups(sender: AppConfig, using: str = DEFAULT_DB_ALIAS, **ignored: Any) -> None:
    """Receiver of post_migrate for one app. One query for each group that exists already."""
    declared = declared_by(sender)
    if not declared or StaffGroupGrant._meta.db_table not in connections[using].introspection.table_names():
        return  # migrated to an earlier migration of accounts
    create_permissions(sender, verbosity=0, interactive=False, using=using)  # Django's own receiver may run later
    for name, codenames in declared.items():
        with transaction.atomic(using=using):
            grant(name, sender.label, codenames, using)


def grant(name: str, app_label: str, codenames: list[str], using: str) -> None:
    grants = StaffGroupGrant.objects.using(using)
    if grants.filter(group=name, app_label=app_label).exists():
        return
    group, made = Group.objects.using(using).get_or_create(name=name)
    granted = made or grants.filter(group=name, granted=True).exists()
    if granted:
        held = Permission.objects.using(using).filter(content_type__app_label=app_label, codename__in=codenames)
        group.permissions.add(*held)
    grants.create(group=name, app_label=app_label, granted=granted)
