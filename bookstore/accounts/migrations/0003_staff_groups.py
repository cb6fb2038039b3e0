"""Empty since groups are declared by their apps: bookstore/accounts/groups.py. Databases name this migration."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0002_sessions_and_throttle"),
    ]

    operations = []
