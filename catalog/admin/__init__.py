"""Where staff keep the catalogue. Whatever they change goes by the same verbs as the API."""

from catalog.admin.books import BookAdmin
from catalog.admin.genres import GenreAdmin

__all__ = ["BookAdmin", "GenreAdmin"]
