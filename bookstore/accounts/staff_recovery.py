"""“Forgotten your password?” on the staff's sign-in page: Django's pages, with the mail and the token of the API."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.forms import PasswordResetForm, SetPasswordForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.generic import View

from bookstore.accounts import mails
from bookstore.accounts.by_mail import reset_password
from bookstore.accounts.emails import normalise_email
from bookstore.accounts.exceptions import LinkInvalid
from bookstore.accounts.links import RESET, user_named_by
from bookstore.accounts.models import User
from bookstore.accounts.throttling import count_attempt
from bookstore.admin import sign_ins
from bookstore.admin.wording import StaffWords
from bookstore.api.errors import Throttled
from bookstore.mail.sending import queue


def page(request: HttpRequest, template: str, title: str, **context: Any) -> TemplateResponse:
    """A page of Django's admin for somebody who is not signed in: without the list of what staff may edit."""
    request.current_app = admin.site.name  # as Django's own views do
    shown = {**admin.site.each_context(request), "is_nav_sidebar_enabled": False, "title": title, **context}
    return TemplateResponse(request, f"registration/{template}.html", shown)


class AskForMailForm(StaffWords, PasswordResetForm):
    pass


class NewPasswordForm(StaffWords, SetPasswordForm):
    pass


@method_decorator(never_cache, name="dispatch")
class ForgottenPassword(View):
    def get(self, request: HttpRequest) -> HttpResponse:
        return page(request, "password_reset_form", "Forgotten password", form=AskForMailForm())

    def post(self, request: HttpRequest) -> HttpResponse:
        """The same page and statements for every email. Only staff get a mail."""
        form = AskForMailForm(request.POST)
        refused: Throttled | None = None
        if form.is_valid():
            email = normalise_email(form.cleaned_data["email"])
            try:
                count_attempt(request, "mail", email)
            except Throttled as refusal:
                form.add_error("email", f"{refusal.detail} No mail was sent.")
                refused = refusal
            else:
                staff = User.objects.filter(email=email, is_active=True, is_staff=True)
                found = staff.values_list("pk", flat=True).first()
                queue(mails.reset_staff_password, found or 0, request.build_absolute_uri("/").rstrip("/"))
                return redirect("password_reset_done")
        answer = page(request, "password_reset_form", "Forgotten password", form=form)
        if refused:
            answer.status_code = refused.status_code
            for name, value in refused.headers.items():
                answer.headers[name] = value
        return answer


class MailSent(View):
    def get(self, request: HttpRequest) -> HttpResponse:
        return page(request, "password_reset_done", "A mail is on its way")


@method_decorator([never_cache, sensitive_post_parameters()], name="dispatch")
class SetPassword(View):
    """The page of the mail's link. The token is in its path, and the site sends no Referer."""

    def get(self, request: HttpRequest, token: str) -> HttpResponse:
        user = staff_of(token)
        form = NewPasswordForm(user) if user else None
        return page(request, "password_reset_confirm", "Set a new password", form=form, validlink=bool(user))

    def post(self, request: HttpRequest, token: str) -> HttpResponse:
        user = staff_of(token)
        form: Any = NewPasswordForm(user, request.POST) if user else None
        if form and form.is_valid():
            try:
                reset_password(token, form.cleaned_data["new_password1"])
            except LinkInvalid:  # used meanwhile
                form = None
            else:
                sign_ins.note(request, user, "Set a new password by a link in a mail.")
                return redirect("password_reset_complete")
        return page(request, "password_reset_confirm", "Set a new password", form=form, validlink=bool(form))


def staff_of(token: str) -> User | None:
    try:
        user = user_named_by(token)
    except LinkInvalid:
        return None
    return user if user.is_staff and RESET.is_valid(token, user.reset_state) else None


class PasswordIsSet(View):
    def get(self, request: HttpRequest) -> HttpResponse:
        return page(request, "password_reset_complete", "The new password is set", login_url=reverse("admin:login"))
