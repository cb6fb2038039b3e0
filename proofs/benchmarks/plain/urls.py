from django.urls import path

from proofs.benchmarks.plain.catalogue import BookViewSet
from proofs.benchmarks.plain.views import CartItemViewSet, CartView, CheckoutView

urlpatterns = [
    path("books", BookViewSet.as_view({"get": "list"})),
    path("books/<int:pk>", BookViewSet.as_view({"get": "retrieve"})),
    path("cart", CartView.as_view()),
    path("cart/items", CartItemViewSet.as_view({"post": "create"})),
    path("orders/checkout", CheckoutView.as_view()),
    path("cart/items/<int:pk>", CartItemViewSet.as_view({"put": "update", "delete": "destroy"})),
]
