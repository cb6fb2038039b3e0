"""A disk of TMPDIR that is full or gone: told in words, to staff and in the log, and it stops nobody else."""

import errno
import os
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from bookstore.server.temporary_files import has_no_room
from catalog.importing.seen import Seen
from catalog.importing.staged import BookImport
from catalog.importing.steps import NO_ROOM
from catalog.models import Book
from catalog.tests.import_pages import IMPORT, upload
from catalog.tests.test_import_excel import workbook

pytestmark = pytest.mark.django_db

EMMA = "title,author,price\nEmma,Jane Austen,12.50\n"


def full(*arguments, **options):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize(
    ("number", "file", "expected"),
    [
        (errno.ENOSPC, None, True),
        (errno.EROFS, "/elsewhere/cover.png", True),
        (errno.ENOENT, None, True),  # as tempfile raises it when no folder can be written to
        (errno.ENOENT, "/var/shop-files/tmp1", True),
        (errno.ENOENT, "/elsewhere/cover.png", False),
        (errno.EACCES, "/var/shop-files", True),
        (errno.ENOENT, "/var/shop-files.old/tmp1", False),
        (errno.EPIPE, None, False),
        (errno.EIO, "/var/shop-files/tmp1", False),
    ],
)
def test_no_room_is_told_from_other_errors(monkeypatch, number, file, expected):
    monkeypatch.setattr("tempfile.tempdir", "/var/shop-files")

    assert has_no_room(OSError(number, os.strerror(number), file)) is expected


def test_import_without_room_to_read_it_is_told_in_words(staff, monkeypatch, caplog):
    with monkeypatch.context() as patch:
        patch.setattr("catalog.importing.excel_rows.tempfile.NamedTemporaryFile", full)
        page = upload(staff, workbook(("Emma", "Jane Austen", 12.5)), name="books.xlsx")
    failed = BookImport.objects.get()
    state, problem = failed.state, failed.problem

    again = staff.post(f"{IMPORT}{failed.pk}/read/", {}, follow=True)

    assert (page.status_code, state, problem) == (200, "failed", NO_ROOM)
    assert "TMPDIR has no space to read a file that staff import (No space left on device)" in caplog.text
    assert again.context["counts"]["new"] == 1


def test_page_without_room_for_its_files_is_503_in_words(staff, monkeypatch, caplog):
    monkeypatch.setattr("catalog.importing.staged.BookImportQuerySet.begin", full)

    page = upload(staff, EMMA)

    assert (page.status_code, page.headers["Retry-After"]) == (503, "1")
    assert "Nothing was changed." in page.content.decode()
    assert "TMPDIR has no space for the files of a page (No space left on device): it is 503" in caplog.text


def test_command_without_room_says_what_is_kept(tmp_path, monkeypatch):
    path, report = tmp_path / "books.csv", tmp_path / "report.csv"
    path.write_text(EMMA, encoding="utf-8")
    monkeypatch.setattr("catalog.management.commands.import_books.Findings.flush", full)

    with pytest.raises(CommandError) as caught:
        call_command("import_books", str(path), "--report", str(report), stdout=StringIO())

    assert str(caught.value) == (
        "After line 2: A file, perhaps in TMPDIR, cannot be read or written (No space left on device): what is counted "
        "above is kept; the same command goes on from there."
    )
    assert Book.objects.count() == 1


def test_output_that_ends_after_the_load_is_not_told_as_nothing_written(tmp_path):
    path = tmp_path / "books.csv"
    path.write_text(EMMA, encoding="utf-8")

    class Pipe(StringIO):
        def write(self, text):
            if Book.objects.exists():
                raise BrokenPipeError(errno.EPIPE, "Broken pipe")
            return super().write(text)

    with pytest.raises(BrokenPipeError):
        call_command("import_books", str(path), stdout=Pipe())

    assert Book.objects.count() == 1


def test_full_disk_under_the_lines_of_a_file_is_no_other_error():
    seen = Seen()
    seen.lines.execute("PRAGMA max_page_count = 2")

    def fill():
        for number in range(1_000):
            seen.add(number, "Emma", number)

    with pytest.raises(OSError, match="full") as caught:
        fill()

    seen.close()
    assert has_no_room(caught.value)
