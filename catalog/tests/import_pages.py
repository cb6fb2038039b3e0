"""The pages of imports, as a member of staff uses them."""

from django.core.files.uploadedfile import SimpleUploadedFile

IMPORT = "/admin/catalog/book/import/"
CONFIRM = "/admin/catalog/book/process_import/"

TWO_BAD_ROWS = """\
title,author,price,isbn,genre,stock_quantity
Persuasion,Jane Austen,8.20,978-0-14-143968-6,Novel,4
Emma,Jane Austen,11.00,0-14-143958-0,Novel,
Nightmare Abbey,Thomas Love Peacock,,,Satire,2
Melmoth,Charles Maturin,free,,Gothic,1
"""


def upload(staff, text, name="books.csv", **options):
    content = text if isinstance(text, bytes) else text.encode()
    return staff.post(IMPORT, {"import_file": SimpleUploadedFile(name, content), **options}, follow=True)


def confirm(staff, preview, **ticked):
    shown = preview.context["shown"]
    return staff.post(CONFIRM, {"import": shown.pk, "reading": shown.reader, **ticked}, follow=True)


def told(response):
    return [str(message) for message in response.context["messages"]]


def counts(response):
    return {name: number for name, number in response.context["counts"].items() if number}


def faults(response):
    return [(row.line, *fault) for row in response.context["rows"].get("refused", []) for fault in row.faults]
