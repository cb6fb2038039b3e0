"""The admin pages of the catalogue. Changes use the same verbs as the API."""

from bookstore.admin.refusals import staff_words
from catalog.admin.books import BookAdmin
from catalog.admin.genres import GenreAdmin
from catalog.exceptions import BookNotFound, GenreConflict, GenreUnknown, IsbnConflict

staff_words(
    {
        BookNotFound: "This book was deleted or withdrawn meanwhile.",
        IsbnConflict: "Another book has this ISBN.",
        GenreConflict: "There is a genre of this name already.",
        GenreUnknown: "This genre was deleted meanwhile.",
    }
)

__all__ = ["BookAdmin", "GenreAdmin"]
