"""The pages of wishes: tests/support/staff_pages.py."""

from typing import Any

from tests.support.staff_pages import NONE_TO_ADD, of_model, pages
from wishlist.models import Wish

# A wish is its customer's: staff look at it.
PAGES = of_model("wishlist/wish", bulk=False, add=pages(NONE_TO_ADD, NONE_TO_ADD), change=NONE_TO_ADD)
MODELS = ("wishlist.Wish",)
FORMS: dict[str, dict[str, Any]] = {}
ACTIONS: dict[str, str] = {}
ONLY_LED_ON: set[str] = set()


def furnish(site: Any) -> None:
    """Alice's wish."""
    site.objects["wishlist/wish/"] = Wish.objects.create(user=site.alice, book=site.objects["catalog/book/"])
