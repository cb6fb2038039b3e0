from typing import ClassVar

from django.apps import AppConfig

from bookstore.api.guide import Tag


class CatalogConfig(AppConfig):
    name = "catalog"
    verbose_name = "Catalogue"
    api_tag = Tag("catalogue", "Find books and genres. Everybody reads; staff with the permission write.", place=20)
    staff_groups: ClassVar[dict[str, list[str]]] = {
        "Catalogue": [f"{verb}_{model}" for model in ("book", "genre") for verb in ("view", "add", "change", "delete")],
        # The page of a cart links to its books and shows their stock and price.
        "Customer support": ["view_book", "view_genre"],
    }
    # First segments of the paths whose reads are public: all of them together never hold every slot
    # (bookstore/server/slots.py).
    public_paths = ("books", "genres")
    # Public reads by the name of their URL, with the function of their body (bookstore/server/direct.py).
    direct_reads: ClassVar[dict[str, str]] = {
        "books": "catalog.bodies.page",
        "suggest-books": "catalog.bodies.suggestions",
        "book": "catalog.bodies.book",
        "genres": "catalog.bodies.genres",
    }
