"""The page on which staff change their own password."""

from typing import Any

from django.contrib.auth.views import PasswordChangeView
from django.db import transaction
from django.http import HttpResponse

from bookstore.audit.actor import Actor
from bookstore.audit.recording import changed, record


class OwnPasswordView(PasswordChangeView):
    """Django's page, which also throttles the old password, and records the change in the history."""

    def get_form(self, form_class: Any = None) -> Any:
        form: Any = super().get_form(form_class)
        form.request = self.request
        return form

    def form_invalid(self, form: Any) -> HttpResponse:
        answer: HttpResponse = super().form_invalid(form)
        if form.refused:
            answer.status_code = form.refused.status_code
            for name, value in form.refused.headers.items():
                answer.headers[name] = value
        return answer

    def form_valid(self, form: Any) -> HttpResponse:
        with transaction.atomic():
            answer: HttpResponse = super().form_valid(form)
            user = form.user
            record(
                Actor.of_admin(self.request),
                "Changed their own password.",
                [changed(user, {"password": (None, None)})],
            )
        return answer
