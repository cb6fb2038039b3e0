"""manage.py import_books in tests: lines to load, the command, and what it says and leaves."""

import re
from io import StringIO

from django.core.management import call_command

from catalog.models import Book, Genre

EMMA = "Emma,Jane Austen,12.50,0141439580"
DRACULA = "Dracula,Bram Stoker,9.90,"
HEADINGS = "title,author,price,isbn"


def load(path, *options):
    output = StringIO()
    call_command("import_books", path, *options, stdout=output)
    return output.getvalue()


def told(output):
    """The sentences with the numbers, without the seconds."""
    [sentence] = re.findall(r"^Books: (.*)\. It took [0-9.]+ s\.$", output, flags=re.MULTILINE)
    return sentence


def everything():
    return list(Book.objects.order_by("id").values()), list(Genre.objects.order_by("id").values())
