"""The admin pages of carts, and what carts add to the pages of books and users and to the overview."""

from typing import cast

from django.contrib import admin

from bookstore.admin.site import BookstoreAdminSite
from cart.admin import books, users  # extend the pages of books and users
from cart.admin.carts import CartAdmin
from cart.admin.overview import panels

cast(BookstoreAdminSite, admin.site).overview.append(panels)

__all__ = ["CartAdmin", "books", "users"]
