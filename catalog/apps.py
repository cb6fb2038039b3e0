from typing import ClassVar

from django.apps import AppConfig


class CatalogConfig(AppConfig):
    name = "catalog"
    verbose_name = "Catalogue"
    staff_groups: ClassVar[dict[str, list[str]]] = {
        "Catalogue": [f"{verb}_{model}" for model in ("book", "genre") for verb in ("view", "add", "change", "delete")],
        # A cart's page links to its books, and tells their stock and price.
        "Customer support": ["view_book", "view_genre"],
    }
    # First segments of the paths whose reads are public: all of them together never hold every slot
    # (bookstore/server/slots.py).
    public_paths = ("books", "genres")
