from django.urls import path

from cart.views import CartItemViewSet, CartView

urlpatterns = [
    path("cart", CartView.as_view(), name="cart"),
    path("cart/items", CartItemViewSet.as_view({"post": "create"}), name="cart-items"),
    path("cart/items/<id:item_id>", CartItemViewSet.as_view({"put": "update", "delete": "destroy"}), name="cart-item"),
]
