from django.urls import path

from bookstore.accounts.mail_views import ForgotView, ResendView, ResetView, VerifyView
from bookstore.accounts.me import ExportView, MeView, PasswordView, SessionsView
from bookstore.accounts.views import LoginView, LogoutView, RefreshView, RegisterView

urlpatterns = [
    path("register", RegisterView.as_view(), name="register"),
    path("login", LoginView.as_view(), name="login"),
    path("refresh", RefreshView.as_view(), name="refresh"),
    path("logout", LogoutView.as_view(), name="logout"),
    path("sessions", SessionsView.as_view(), name="sessions"),
    path("password", PasswordView.as_view(), name="password"),
    path("password/forgot", ForgotView.as_view(), name="password-forgot"),
    path("password/reset", ResetView.as_view(), name="password-reset"),
    path("verify", VerifyView.as_view(), name="verify"),
    path("verify/resend", ResendView.as_view(), name="verify-resend"),
    path("me", MeView.as_view(), name="me"),
    path("me/export", ExportView.as_view(), name="export"),
]
