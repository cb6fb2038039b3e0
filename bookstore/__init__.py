"""The project package of the bookstore: what the apps catalog, cart and orders are built on."""

__version__ = "1.1.0"
