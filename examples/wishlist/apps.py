"""What the app declares: its tag in the API's schema, permissions of the staff's groups, and personal data."""

from typing import Any, ClassVar

from django.apps import AppConfig

from bookstore.api.guide import Tag


class WishlistConfig(AppConfig):
    name = "wishlist"
    verbose_name = "Wishlists"
    api_tag = Tag("wishlist", "Books that the caller would like to have, one day.", place=40)
    staff_groups: ClassVar[dict[str, list[str]]] = {"Customer support": ["view_wish"]}

    def personal_data(self, user: Any, page: Any) -> list[dict[str, Any]]:
        """The customer's wishes, for GET /auth/me/export. They are deleted with the account. One query."""
        from wishlist.models import Wish
        from wishlist.serializers import WishSerializer

        return list(WishSerializer(Wish.objects.of(user), many=True).data)
