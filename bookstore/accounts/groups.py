"""The groups of staff that a shop begins with. An app says which of its permissions a group holds:

    class CatalogConfig(AppConfig):
        staff_groups = {"Catalogue": ["view_book", "change_book"]}

`make_declared_groups` runs after every `migrate` (Django's post_migrate, as permissions are made) and grants each of
these once: what staff change of the groups later, or delete, stays as it is.
"""

from typing import Any

from django.apps import AppConfig
from django.contrib.auth.management import create_permissions
from django.contrib.auth.models import Group, Permission
from django.db import DEFAULT_DB_ALIAS, connections, models, transaction


class StaffGroupGrant(models.Model):
    """That the permissions which one app declares for one group were granted, or left to the shop's own group."""

    group = models.CharField(max_length=150)
    app_label = models.CharField(max_length=100)
    # False where a group of that name was there before: it is the shop's own.
    granted = models.BooleanField()

    class Meta:
        db_table = "staff_group_grants"
        default_permissions = ()  # not shown in the admin
        constraints = (models.UniqueConstraint(fields=["group", "app_label"], name="uq_staff_group_grants"),)

    def __str__(self) -> str:
        return f"{self.group}: {self.app_label}"


def declared_by(app: AppConfig) -> dict[str, list[str]]:
    """Codenames of permissions by the group's name."""
    declared: dict[str, list[str]] = getattr(app, "staff_groups", {})
    return declared


def make_declared_groups(sender: AppConfig, using: str = DEFAULT_DB_ALIAS, **ignored: Any) -> None:
    """Receiver of post_migrate: the groups of one app. One query for each when they were made before."""
    declared = declared_by(sender)
    if not declared or StaffGroupGrant._meta.db_table not in connections[using].introspection.table_names():
        return  # an earlier migration of accounts was asked for
    create_permissions(sender, verbosity=0, interactive=False, using=using)  # Django's own receiver may come later
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
