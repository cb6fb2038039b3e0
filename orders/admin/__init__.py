"""The admin pages of orders, and what orders add to the pages of books and users and to the overview."""

from typing import cast

from django.contrib import admin

from bookstore.admin.site import BookstoreAdminSite
from orders.admin import books, users  # extend the pages of books and users
from orders.admin.orders import OrderAdmin
from orders.admin.overview import panels

cast(BookstoreAdminSite, admin.site).overview.append(panels)

__all__ = ["OrderAdmin", "books", "users"]
