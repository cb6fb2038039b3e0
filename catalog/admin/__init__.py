"""Where staff keep the catalogue. Whatever they change goes by the same verbs as the API."""

from bookstore.admin.refusals import staff_words
from catalog.admin.books import BookAdmin
from catalog.admin.genres import GenreAdmin

staff_words(
    {
        "BOOK_NOT_FOUND": "This book was deleted or withdrawn meanwhile.",
        "BOOK_ISBN_CONFLICT": "Another book has this ISBN.",
        "GENRE_CONFLICT": "There is a genre of this name already.",
        "GENRE_UNKNOWN": "This genre was deleted meanwhile.",
    }
)

__all__ = ["BookAdmin", "GenreAdmin"]
