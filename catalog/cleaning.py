"""What `manage.py clean_up` deletes of the catalogue: files of imports, never a book."""

from catalog.importing.staged import BookImport


def clean_up(batch: int) -> str:
    return f"Deleted {BookImport.objects.prune()} old imports of books, with their files."
