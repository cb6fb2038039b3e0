"""What staff see of the carts, and what the carts add to the pages of books and users and to the overview."""

from typing import cast

from django.contrib import admin

from bookstore.admin.site import BookstoreAdminSite
from cart.admin.books import BookAdmin
from cart.admin.carts import CartAdmin
from cart.admin.overview import panels
from cart.admin.users import UserAdmin

cast(BookstoreAdminSite, admin.site).overview.append(panels)

__all__ = ["BookAdmin", "CartAdmin", "UserAdmin"]
