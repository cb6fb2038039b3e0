"""The two groups that a shop begins with, and what each may do.

Django makes permissions after all migrations have run, when it is too late for this one; so they are made here, by
Django's own function, for the apps that the groups are about. What staff change of the groups later stays as it is.
"""

from django.contrib.auth.management import create_permissions
from django.db import migrations

GROUPS = {
    "Customer support": {
        "cart": ["view_cart", "view_cartitem"],
        "accounts": ["view_user"],
        # A cart's page links to its books, and tells their stock and price.
        "catalog": ["view_book", "view_genre"],
    },
    "Catalogue": {
        "catalog": [f"{verb}_{model}" for model in ("book", "genre") for verb in ("view", "add", "change", "delete")],
    },
}


def make_groups(apps, schema_editor):
    database = schema_editor.connection.alias
    Group = apps.get_model("auth", "Group")
    Permission = apps.get_model("auth", "Permission")
    for label in ("accounts", "cart", "catalog"):
        app = apps.get_app_config(label)
        app.models_module = True  # the app of a migration has none, and would be taken for one without models
        create_permissions(app, verbosity=0, interactive=False, using=database, apps=apps)
    for name, wanted in GROUPS.items():
        group, made = Group.objects.using(database).get_or_create(name=name)
        if not made:  # somebody made a group of this name before: it is theirs
            continue
        for label, codenames in wanted.items():
            permissions = Permission.objects.using(database).filter(
                content_type__app_label=label, codename__in=codenames
            )
            group.permissions.add(*permissions)


def remove_groups(apps, schema_editor):
    """Only those that nobody is in: a group with members is not this migration's to take away."""
    Group = apps.get_model("auth", "Group")
    Group.objects.using(schema_editor.connection.alias).filter(name__in=GROUPS, user=None).delete()


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0002_sessions_and_throttle"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
        ("cart", "0001_carts"),
        ("catalog", "0001_catalogue"),
    ]

    operations = [migrations.RunPython(make_groups, remove_groups)]
