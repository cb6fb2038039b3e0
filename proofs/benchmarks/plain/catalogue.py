"""The public catalogue, the usual way: ModelSerializer, a filtered queryset, DRF's own search, order and pages."""

from typing import Any

from django.db.models import QuerySet
from rest_framework import pagination, serializers, viewsets
from rest_framework.filters import OrderingFilter, SearchFilter
from rest_framework.permissions import AllowAny
from rest_framework.response import Response

from proofs.benchmarks.plain.models import Book


class BookSerializer(serializers.ModelSerializer):
    genre_id = serializers.PrimaryKeyRelatedField(source="genre", read_only=True)
    in_stock = serializers.SerializerMethodField()

    class Meta:
        model = Book
        fields = [
            "id",
            "title",
            "author",
            "price",
            "isbn",
            "genre_id",
            "description",
            "cover_image_url",
            "publish_date",
            "stock_quantity",
            "in_stock",
            "is_active",
        ]

    def get_in_stock(self, book: Book) -> bool:
        return book.stock_quantity > 0


class Words(SearchFilter):
    search_param = "q"


class Sort(OrderingFilter):
    ordering_param = "sort"


class Pages(pagination.PageNumberPagination):
    page_size = 20
    page_size_query_param = "size"
    max_page_size = 100

    def get_paginated_response(self, data: Any) -> Response:
        return Response(
            {
                "items": data,
                "total": self.page.paginator.count,
                "page": self.page.number,
                "size": self.get_page_size(self.request),
            }
        )


class BookViewSet(viewsets.ReadOnlyModelViewSet):
    queryset = Book.objects.all()
    serializer_class = BookSerializer
    permission_classes = [AllowAny]
    pagination_class = Pages
    filter_backends = [Words, Sort]
    search_fields = ["title", "author"]
    ordering_fields = ["title", "price"]
    ordering = ["title", "id"]

    def get_queryset(self) -> QuerySet[Book]:
        books, sent = super().get_queryset(), self.request.query_params
        if self.action == "list":
            books = books.filter(is_active=True)
        if "genre_id" in sent:
            books = books.filter(genre_id=sent["genre_id"])
        if "min_price" in sent:
            books = books.filter(price__gte=sent["min_price"])
        if "max_price" in sent:
            books = books.filter(price__lte=sent["max_price"])
        return books
