from django.urls import path

from cart.views import CartItemViewSet, CartView, MergeView, PreviewView

urlpatterns = [
    path("cart", CartView.as_view(), name="cart"),
    path("cart/merge", MergeView.as_view(), name="cart-merge"),
    path("cart/preview", PreviewView.as_view(), name="cart-preview"),
    path("cart/items", CartItemViewSet.as_view({"post": "create", "delete": "clear"}), name="cart-items"),
    path(
        "cart/items/<id:item_id>",
        CartItemViewSet.as_view({"get": "retrieve", "put": "update", "patch": "partial_update", "delete": "destroy"}),
        name="cart-item",
    ),
]
