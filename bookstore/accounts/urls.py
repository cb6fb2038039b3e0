from django.urls import path

from bookstore.accounts.me import ExportView, MeView, PasswordView, SessionsView
from bookstore.accounts.views import LoginView, LogoutView, RefreshView, RegisterView

urlpatterns = [
    path("register", RegisterView.as_view(), name="register"),
    path("login", LoginView.as_view(), name="login"),
    path("refresh", RefreshView.as_view(), name="refresh"),
    path("logout", LogoutView.as_view(), name="logout"),
    path("sessions", SessionsView.as_view(), name="sessions"),
    path("password", PasswordView.as_view(), name="password"),
    path("me", MeView.as_view(), name="me"),
    path("me/export", ExportView.as_view(), name="export"),
]
