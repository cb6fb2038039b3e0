from django.urls import path

from orders.views import OrderViewSet, PaymentView

urlpatterns = [
    path("orders/checkout", OrderViewSet.as_view({"post": "checkout"}), name="checkout"),
    path("orders", OrderViewSet.as_view({"get": "list"}), name="orders"),
    path("orders/<id:order_id>", OrderViewSet.as_view({"get": "retrieve"}), name="order"),
    path("orders/<id:order_id>/cancel", OrderViewSet.as_view({"post": "cancel"}), name="order-cancel"),
    path("orders/<id:order_id>/reorder", OrderViewSet.as_view({"post": "reorder"}), name="order-reorder"),
    path("orders/<id:order_id>/paid", PaymentView.as_view(), name="order-paid"),
]
