"""The staff's site: Django's admin with an overview on its first page.

An app adds its charts in its admin module: `site.overview.append(panels)`, where `panels(request)` returns the charts
for this member of staff. docs/decisions/0008-admin.md has the reasons.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.admin import AdminSite
from django.contrib.admin.apps import AdminConfig
from django.contrib.auth import get_user_model, logout
from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.urls import path, reverse
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache

from bookstore.admin.lists import bounded_search
from bookstore.admin.refusals import refusals_as_messages
from bookstore.database import is_unavailable

RECENT = 10  # the user's last events on the first page


@dataclass(frozen=True)
class Bar:
    """One bar of a chart. `share` is its length, from 0 to 1; `shown` is the text beside it."""

    label: str
    share: float
    shown: str
    url: str = ""
    warn: bool = False

    @property
    def percent(self) -> str:
        """The length for SVG, with a decimal point in every language. A share above 0 is always visible."""
        return f"{max(self.share * 100, 0.7 if self.share else 0):.2f}%"


@dataclass(frozen=True)
class Panel:
    """A chart with its title, its headline and a note on its data."""

    title: str
    headline: str
    bars: list[Bar] = field(default_factory=list)
    columns: bool = False
    note: str = ""
    empty: str = "Nothing yet."

    @property
    def column_shapes(self) -> list[dict[str, Any]]:
        """The geometry of the columns: percent of the chart's width, and units of its height, 100."""
        width = 100 / max(len(self.bars), 1)
        return [
            {
                "bar": bar,
                "x": f"{index * width + width * 0.12:.2f}%",
                "width": f"{width * 0.76:.2f}%",
                "y": f"{100 - max(bar.share * 100, 1 if bar.share else 0):.1f}",
                "height": f"{max(bar.share * 100, 1 if bar.share else 0):.1f}",
            }
            for index, bar in enumerate(self.bars)
        ]


def money(amount: Decimal) -> str:
    """An amount for staff: `1,234.50 USD`."""
    return f"{amount:,.2f} {settings.SHOP_CURRENCY}"


def shares(amounts: Iterable[Decimal | int]) -> list[float]:
    """Each number as a share of the largest."""
    numbers = [float(amount) for amount in amounts]
    largest = max(numbers, default=0.0)
    return [number / largest if largest else 0.0 for number in numbers]


class BookstoreAdminSite(AdminSite):
    site_title = site_header = "Bookstore"
    index_title = "Overview"
    index_template = "admin/overview.html"
    password_change_form: Any = None  # set by bookstore.accounts, whose models are not loaded yet

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.overview: list[Callable[[HttpRequest], list[Panel]]] = []

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """One query beside those of the panels: the user's own last events."""
        from bookstore.audit.models import AuditEvent  # models are not loaded yet at the top

        context = {
            "panels": [panel for source in self.overview for panel in source(request)],
            "recent_events": list(AuditEvent.objects.filter(actor=str(request.user)).order_by("-id")[:RECENT]),
        }
        answer: HttpResponse = super().index(request, {**context, **(extra_context or {})})
        return answer

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        return {**super().each_context(request), "may_see_events": request.user.has_perm("audit.view_auditevent")}

    @method_decorator([never_cache, login_not_required])
    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        from bookstore.admin.sign_ins import begin  # its models are not loaded yet at the top

        try:
            page = super().login(request, extra_context)
            if request.method == "POST" and page.status_code == 200:  # the form again, with its errors
                refusal = getattr(request, "sign_in_refused", None)
                page.status_code = refusal.status_code if refusal else 403
                for name, value in (refusal.headers if refusal else {}).items():
                    page.headers[name] = value
            elif request.method == "POST" and request.user.is_authenticated:
                begin(request)
            return page
        except DatabaseError as error:
            # Django writes `last_login`, which fails if the user was deleted after the password check.
            if is_unavailable(error) or get_user_model().objects.filter(pk=request.user.pk).exists():
                raise
            request.session.flush()
            messages.error(request, "Nobody was signed in: this account was deleted meanwhile.")
            return HttpResponseRedirect(request.get_full_path())

    @method_decorator(never_cache)
    def logout(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        from bookstore.admin.sign_ins import note  # its models are not loaded yet at the top

        if request.method == "POST" and request.user.is_authenticated:
            note(request, request.user, "Signed out of this site.")
        return super().logout(request, extra_context)

    # Django lets caches store these two, but they have the email of the user, as every page has.
    @method_decorator(never_cache)
    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """As Django's, with `password_change_form`, and recorded in the history."""
        from bookstore.admin.passwords import OwnPasswordView  # its models are not loaded yet at the top

        request.current_app = self.name
        return OwnPasswordView.as_view(
            form_class=self.password_change_form,
            success_url=reverse("admin:password_change_done", current_app=self.name),
            extra_context={**self.each_context(request), **(extra_context or {})},
        )(request)

    def password_change_done(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        return never_cache(super().password_change_done)(request, extra_context)

    def autocomplete_view(self, request: HttpRequest) -> Any:
        """As Django's, with a bounded text without NUL, for which PostgreSQL would raise."""
        term = request.GET.get("term", "")
        if "\0" in term:
            return JsonResponse({"results": [], "pagination": {"more": False}})
        query: Any = request.GET.copy()
        query["term"] = bounded_search(term)
        request.GET = query
        return super().autocomplete_view(request)

    def has_permission(self, request: HttpRequest) -> bool:
        """Also ends a session that is older, or was idle for longer, than the settings allow."""
        if not super().has_permission(request):
            return False
        from bookstore.admin.sign_ins import is_over  # its models are not loaded yet at the top

        if is_over(request):
            logout(request)
            messages.info(request, "You were signed out, because the sign-in was too long ago or idle. Sign in again.")
            return False
        return True

    def get_urls(self) -> list[Any]:
        return [path("sign-ins/", self.admin_view(self.sign_ins), name="sign_ins"), *super().get_urls()]

    def sign_ins(self, request: HttpRequest) -> HttpResponse:
        from bookstore.admin.sign_ins import page  # its models are not loaded yet at the top

        return page(self, request)

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:
        """Wraps every page except the sign-in."""
        return super().admin_view(refusals_as_messages(view), cacheable)


class BookstoreAdminConfig(AdminConfig):
    """In INSTALLED_APPS in place of django.contrib.admin."""

    default_site = "bookstore.admin.site.BookstoreAdminSite"
