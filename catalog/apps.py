from django.apps import AppConfig


class CatalogConfig(AppConfig):
    name = "catalog"
    verbose_name = "Catalogue"
    # First segments of the paths whose reads are public: all of them together never hold every slot
    # (bookstore/server/slots.py).
    public_paths = ("books", "genres")
