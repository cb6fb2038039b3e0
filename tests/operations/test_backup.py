"""docs/running.md, "Backup and restore": each line by the role that the page names, and deploy/backup.sh."""

import os
import re
import subprocess

import pytest

from tests.support.documented import commands_of
from tests.support.installed import sql
from tests.support.server import ROOT

pytestmark = [pytest.mark.postgres, pytest.mark.own_session, pytest.mark.django_db]

SECTION = "Backup and restore"


@pytest.fixture
def catalogue(shop):
    """The shop with the demo's books, and an empty database `new` of the owner."""
    if sql(shop.url("owner"), "SELECT count(*) FROM books") == "0":
        loaded = shop.manage("load_demo", DEBUG="1")
        assert loaded.returncode == 0, loaded.stderr
    for database in ("new", "check"):
        sql(shop.superuser, f"DROP DATABASE IF EXISTS {shop.name}_{database} WITH (FORCE)")
        sql(shop.superuser, f"CREATE DATABASE {shop.name}_{database} OWNER {shop.name}_owner")
    return shop


def run(command: str, folder, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["/bin/sh", "-c", command],
        cwd=folder,
        env={"PATH": os.environ["PATH"]} | environ,
        capture_output=True,
        text=True,
    )


def backup(folder, shop, role: str = "owner", **environ: str) -> subprocess.CompletedProcess[str]:
    return run(f"{ROOT}/deploy/backup.sh {folder}", folder, **shop.libpq(role), **environ)


def contents(url: str) -> str:
    """Rows of each table, and a hash over all of them."""
    tables = sql(url, "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1").split()
    facts = "SELECT '{0}', count(*), md5(string_agg(t::text, '' ORDER BY t::text)) FROM {0} t"
    return sql(url, " UNION ALL ".join(map(facts.format, tables)))


def test_the_lines_of_the_page_bring_every_row_back_by_the_owner(catalogue, tmp_path):
    [dump], [restore] = commands_of(ROOT, SECTION, "pg_dump"), commands_of(ROOT, SECTION, "pg_restore")
    new = catalogue.url("owner", f"{catalogue.name}_new")

    dumped = run(dump, tmp_path, DATABASE_DIRECT_URL=catalogue.url("owner"))
    restored = run(restore, tmp_path, NEW_DATABASE_URL=new)

    assert (dumped.returncode, restored.returncode, restored.stderr) == (0, 0, "")
    assert contents(new) == contents(catalogue.url("owner"))
    checked = catalogue.manage("migrate", "--check", DATABASE_DIRECT_URL=new, DATABASE_URL=new)
    assert (checked.returncode, checked.stderr) == (0, "")
    assert sql(catalogue.url("app", f"{catalogue.name}_new"), "SELECT count(*) > 0 FROM books") == "t"


def test_a_dump_that_fails_leaves_no_file(catalogue, tmp_path):
    [dump] = commands_of(ROOT, SECTION, "pg_dump")

    failed = run(dump, tmp_path, DATABASE_DIRECT_URL=catalogue.url("app"))

    assert failed.returncode != 0
    assert "permission denied for sequence" in failed.stderr
    assert list(tmp_path.iterdir()) == []


def test_backup_keeps_a_dump_that_was_restored(catalogue, tmp_path):
    done = backup(tmp_path, catalogue, CHECK_DATABASE=f"{catalogue.name}_check")
    again = backup(tmp_path, catalogue, CHECK_DATABASE=f"{catalogue.name}_check")

    assert (done.returncode, done.stderr, again.returncode, again.stderr) == (0, "", 0, "")
    books = sql(catalogue.url("owner"), "SELECT count(*) FROM books")
    assert f": {books} books, " in done.stdout
    assert {path.suffix for path in tmp_path.iterdir()} == {".dump"}
    check = catalogue.url("owner", f"{catalogue.name}_check")
    assert contents(check) == contents(catalogue.url("owner"))


def test_backup_as_the_role_that_serves_fails_and_leaves_no_file(catalogue, tmp_path):
    (tmp_path / "bookstore-2020-01-01T000000Z.dump").write_bytes(b"old")
    os.utime(tmp_path / "bookstore-2020-01-01T000000Z.dump", (0, 0))

    failed = backup(tmp_path, catalogue, "app")

    assert failed.returncode == 1
    assert failed.stderr.splitlines()[-1] == "backup: pg_dump failed: no dump was kept"
    assert [path.name for path in tmp_path.iterdir()] == ["bookstore-2020-01-01T000000Z.dump"]


def test_backup_keeps_no_dump_that_cannot_be_restored(catalogue, tmp_path):
    """Somebody else's table is in the way of the restore."""
    sql(
        catalogue.superuser.rpartition("/")[0] + f"/{catalogue.name}_check",
        "CREATE TABLE books (id int)",
    )

    failed = backup(tmp_path, catalogue, CHECK_DATABASE=f"{catalogue.name}_check")

    assert failed.returncode == 1
    assert failed.stderr.splitlines()[-1] == "backup: the dump cannot be restored: it was not kept"
    assert list(tmp_path.iterdir()) == []


def test_backup_deletes_old_dumps_after_a_good_one(catalogue, tmp_path):
    old, other = tmp_path / "bookstore-2020-01-01T000000Z.dump", tmp_path / "notes.txt"
    for path in (old, other):
        path.write_bytes(b"old")
        os.utime(path, (0, 0))

    done = backup(tmp_path, catalogue)

    assert done.returncode == 0, done.stderr
    assert not old.exists()
    assert len(list(tmp_path.glob("*.dump"))) == 1
    assert other.exists()


@pytest.mark.parametrize(
    ("environ", "said"),
    [
        ({"CHECK_DATABASE": "bookstore"}, "its name must end with _check"),
        ({"KEEP_DAYS": "a week"}, "KEEP_DAYS is 'a week'"),
    ],
)
def test_backup_refuses_settings_that_would_destroy(shop, tmp_path, environ, said):
    refused = backup(tmp_path, shop, **environ)

    assert refused.returncode == 1
    assert said in refused.stderr
    assert refused.stderr.count("\n") == 1


def test_the_page_sets_what_the_script_reads():
    page = (ROOT / "docs" / "running.md").read_text().partition(f"## {SECTION}")[2].partition("\n## ")[0]
    script = (ROOT / "deploy" / "backup.sh").read_text()

    named = set(re.findall(r"^([A-Z_]+)=", page, re.MULTILINE))

    assert named == {"PGHOST", "PGDATABASE", "PGUSER", "PGPASSWORD", "CHECK_DATABASE"}
    assert [name for name in named if name not in script] == []
