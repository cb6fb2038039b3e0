"""The page on which staff change their own password."""

from typing import Any

from django.contrib.auth.views import PasswordChangeView
from django.db import transaction
from django.http import HttpResponse

from bookstore.audit.actor import Actor
from bookstore.audit.recording import changed, record


class OwnPasswordView(PasswordChangeView):
    """Django's page, which also records the change in the history."""

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
