"""What the app says about itself: its tag in the API's schema, and the rights of the staff's groups."""

from typing import ClassVar

from django.apps import AppConfig

from bookstore.api.guide import Tag


class WishlistConfig(AppConfig):
    name = "wishlist"
    verbose_name = "Wishlists"
    api_tag = Tag("wishlist", "Books that the caller would like to have, one day.", place=40)
    staff_groups: ClassVar[dict[str, list[str]]] = {"Customer support": ["view_wish"]}
