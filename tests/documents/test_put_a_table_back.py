"""docs/running.md, "Put a table back": its commands, by the roles that it names, into a shop that went on."""

import shutil
import subprocess
from urllib.parse import urlsplit, urlunsplit

import pytest
from django.db import connection

from bookstore.accounts.tests.factories import UserFactory
from cart.models import Cart, CartItem
from catalog.tests.factories import BookFactory
from tests.support.documented import block_of
from tests.support.server import ROOT, url_of_test_database

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.own_session,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(not shutil.which("psql"), reason="psql is not on PATH"),
]


@pytest.fixture
def roles():
    """The two roles of the chapter on PostgreSQL, for this database, with the rights that it gives them."""
    name = connection.settings_dict["NAME"]
    owner, app = f"{name}_owner", f"{name}_app"
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE ROLE {owner} LOGIN PASSWORD 'put-back' IN ROLE CURRENT_USER")
        cursor.execute(f"CREATE ROLE {app} LOGIN PASSWORD 'put-back'")
        cursor.execute(f"GRANT USAGE ON SCHEMA public TO {app}")
        cursor.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {app}")
        cursor.execute(f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {app}")
    yield {"owner": owner, "app": app}
    with connection.cursor() as cursor:
        for role in (owner, app):
            cursor.execute(f"DROP OWNED BY {role}")
            cursor.execute(f"DROP ROLE {role}")


@pytest.fixture
def restored():
    """`restored()`: the URL of a copy of the database as it is now."""
    name = f"{connection.settings_dict['NAME']}_restored"

    def copy():
        original = connection.settings_dict["NAME"]
        connection.close()
        with connection._nodb_cursor() as cursor:
            cursor.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
            cursor.execute(f"CREATE DATABASE {name} TEMPLATE {original}")
        return urlunsplit(urlsplit(url_of_test_database())._replace(path=f"/{name}"))

    yield copy
    with connection._nodb_cursor() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def as_role(role: str) -> str:
    parts = urlsplit(url_of_test_database())
    return urlunsplit(parts._replace(netloc=f"{role}:put-back@{parts.netloc.rpartition('@')[2]}"))


@pytest.mark.parametrize("role", ["app", "owner"])
def test_a_table_comes_back_and_no_id_is_given_out_twice(roles, restored, tmp_path, role):
    morning = Cart.objects.for_user(UserFactory())
    lost = [morning.add(book).pk for book in BookFactory.create_batch(3)]
    url = restored()
    CartItem.objects.all().delete()
    afternoon = Cart.objects.for_user(UserFactory())
    since = [afternoon.add(book).pk for book in BookFactory.create_batch(4)]

    subprocess.run(
        ["/bin/sh", "-ec", block_of(ROOT, "Put a table back", "sh")],
        cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin", "RESTORED_URL": url, "DATABASE_URL": as_role(roles[role])},
        check=True,
    )
    added = [Cart.objects.for_user(UserFactory()).add(book).pk for book in BookFactory.create_batch(5)]

    assert sorted(CartItem.objects.values_list("pk", flat=True)) == lost + since + added
    assert [line.pk for line in morning.lines] == lost
