"""A bookstore's catalogue and carts: the project's floor, on which the apps stand."""

__version__ = "1.1.0"
