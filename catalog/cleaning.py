"""What `manage.py clean_up` deletes of the catalogue: files of imports, never a book."""

from catalog.importing.staged import BookImport


def clean_up(batch: int) -> str:
    """One import in a transaction, whatever the batch: its rows belong together."""
    return f"Old imports of books, with their files: {BookImport.objects.prune()} deleted."
