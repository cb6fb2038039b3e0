from typing import Any

from rest_framework import serializers

from bookstore.api.fields import WholeNumberField
from wishlist.models import Wish


class AddWishSerializer(serializers.Serializer[Any]):
    book_id = WholeNumberField()


class WishSerializer(serializers.ModelSerializer[Wish]):
    book_id = serializers.IntegerField()
    title = serializers.CharField(source="book.title")

    class Meta:
        model = Wish
        fields = ("book_id", "title", "added_at")
