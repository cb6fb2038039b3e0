import secrets
from decimal import Decimal

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models


class Genre(models.Model):
    name = models.CharField(max_length=100, unique=True)

    def __str__(self) -> str:
        return self.name


class Book(models.Model):
    title = models.CharField(max_length=500)
    author = models.CharField(max_length=255)
    price = models.DecimalField(max_digits=10, decimal_places=2)
    isbn = models.CharField(max_length=13, unique=True, null=True, blank=True)  # not known
    genre = models.ForeignKey(Genre, models.PROTECT, null=True, blank=True, related_name="books")
    description = models.TextField(null=True, blank=True)  # noqa: DJ001  # not known
    cover_image_url = models.URLField(max_length=2048, null=True, blank=True)  # noqa: DJ001  # not known
    publish_date = models.DateField(null=True, blank=True)
    stock_quantity = models.PositiveIntegerField(default=0)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.title


class Cart(models.Model):
    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, related_name="cart")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return f"Cart of {self.user}"

    # These read `items.all()`, which prefetch_related has loaded.
    @property
    def total_items(self) -> int:
        return sum(item.quantity for item in self.items.all())

    @property
    def total_price(self) -> Decimal:
        return sum((item.line_total for item in self.items.all()), Decimal("0.00"))

    @property
    def checkout_ready(self) -> bool:
        items = self.items.all()
        return bool(items) and not any(issue["code"] != "PRICE_CHANGED" for item in items for issue in item.issues)


class CartItem(models.Model):
    cart = models.ForeignKey(Cart, models.CASCADE, related_name="items")
    book = models.ForeignKey(Book, models.CASCADE, related_name="cart_items")
    quantity = models.PositiveSmallIntegerField(default=1, validators=[MinValueValidator(1), MaxValueValidator(999)])
    added_at = models.DateTimeField(auto_now_add=True)
    price_at_add = models.DecimalField(max_digits=10, decimal_places=2)

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["cart", "book"], name="unique_book_in_cart")]

    def __str__(self) -> str:
        return f"{self.quantity} × {self.book}"

    @property
    def line_total(self) -> Decimal:
        return self.book.price * self.quantity

    @property
    def issues(self) -> list[dict[str, object]]:
        issues: list[dict[str, object]] = []
        if not self.book.is_active:
            issues.append({"code": "BOOK_UNAVAILABLE"})
        elif self.book.stock_quantity == 0:
            issues.append({"code": "BOOK_OUT_OF_STOCK"})
        elif self.quantity > self.book.stock_quantity:
            issues.append({"code": "INSUFFICIENT_STOCK", "available": self.book.stock_quantity})
        if self.book.price != self.price_at_add:
            issues.append({"code": "PRICE_CHANGED", "from": str(self.price_at_add), "to": str(self.book.price)})
        return issues


def new_number() -> str:
    return f"{secrets.token_hex(3)[:5]}-{secrets.token_hex(3)[:5]}".upper()


class Order(models.Model):
    number = models.CharField(max_length=11, unique=True, default=new_number)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="orders")
    status = models.CharField(max_length=9, default="placed")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True)
    currency = models.CharField(max_length=3)
    total_items = models.PositiveIntegerField()
    total_price = models.DecimalField(max_digits=15, decimal_places=2)
    note = models.TextField(blank=True)
    contact = models.JSONField(null=True)

    def __str__(self) -> str:
        return self.number


class OrderItem(models.Model):
    order = models.ForeignKey(Order, models.CASCADE, related_name="items")
    book = models.ForeignKey(Book, models.SET_NULL, null=True, related_name="+")
    quantity = models.PositiveSmallIntegerField()
    unit_price = models.DecimalField(max_digits=10, decimal_places=2)
    title = models.CharField(max_length=500)
    author = models.CharField(max_length=255)
    isbn = models.CharField(max_length=13, null=True)  # noqa: DJ001  # not known
    cover_image_url = models.CharField(max_length=2048, null=True)  # noqa: DJ001  # not known

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.quantity} × {self.title}"

    @property
    def line_total(self) -> Decimal:
        return self.unit_price * self.quantity
