"""Emails of international domains are kept as mail is sent there, `xn--…`. See bookstore/accounts/emails.py.

Where both spellings were registered, two accounts are one email now: the second keeps its old spelling, under which
nobody signs in, and a line names it for the staff.
"""

import sys

from django.db import migrations

from bookstore.accounts.emails import normalise_email


def respell(apps, schema_editor):
    users = apps.get_model("accounts", "User").objects.using(schema_editor.connection.alias)
    international = users.filter(email__regex=r"@.*[^ -~]").order_by("pk")
    for key, email in list(international.values_list("pk", "email")):
        spelled = normalise_email(email)
        if spelled == email:
            continue
        if users.filter(email=spelled).exists():
            print(f"User {key} has the email of another user, spelled otherwise: give it another one.", file=sys.stderr)
            continue
        users.filter(pk=key).update(email=spelled)


class Migration(migrations.Migration):
    dependencies = [("accounts", "0008_groups_made_before")]

    operations = [migrations.RunPython(respell, migrations.RunPython.noop)]
