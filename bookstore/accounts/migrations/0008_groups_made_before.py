"""Notes what an earlier release granted to the groups of staff, so that it is not granted again.

An earlier release made them in 0003, once for all apps. Whether it did is told by the permissions: Django makes them
after all migrations, so that a new database has none yet.
"""

from django.apps import apps as installed
from django.db import migrations


def note_what_was_granted(apps, schema_editor):
    database = schema_editor.connection.alias
    if not apps.get_model("auth", "Permission").objects.using(database).exists():
        return
    StaffGroupGrant = apps.get_model("accounts", "StaffGroupGrant")
    StaffGroupGrant.objects.using(database).bulk_create(
        [
            StaffGroupGrant(group=name, app_label=app.label, granted=True)
            for app in installed.get_app_configs()
            for name in getattr(app, "staff_groups", {})
        ],
        ignore_conflicts=True,
    )


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0007_staff_group_grants"),
        ("auth", "0012_alter_user_first_name_max_length"),
    ]

    operations = [migrations.RunPython(note_what_was_granted, migrations.RunPython.noop)]
