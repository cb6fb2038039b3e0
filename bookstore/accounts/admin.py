"""What staff see and do about users and their sessions."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.forms import AdminUserCreationForm, UserChangeForm
from django.http import HttpRequest

from bookstore.accounts.models import LoginSession, LoginSessionQuerySet, User

admin.site.site_title = admin.site.site_header = "Bookstore"
admin.site.index_title = "Staff"


class CreateUserForm(AdminUserCreationForm):
    class Meta:
        model = User
        fields = ("email",)


class ChangeUserForm(UserChangeForm):
    class Meta:
        model = User
        fields = "__all__"


@admin.register(User)
class UserAdmin(DjangoUserAdmin):
    form = ChangeUserForm
    add_form = CreateUserForm
    list_display = ("email", "is_staff", "is_active", "date_joined")
    list_filter = ("is_staff", "is_superuser", "is_active", "groups")
    search_fields = ("email",)
    search_help_text = "Email"
    ordering = ("email",)
    list_per_page = 50
    show_full_result_count = False
    readonly_fields = ("last_login", "date_joined")
    fieldsets = (
        (None, {"fields": ("email", "password")}),
        ("What they may do", {"fields": ("is_active", "is_staff", "is_superuser", "groups", "user_permissions")}),
        (
            "Since when",
            {"fields": ("date_joined", "last_login"), "description": "Last login: to this site, not to the shop."},
        ),
    )
    add_fieldsets = ((None, {"classes": ("wide",), "fields": ("email", "usable_password", "password1", "password2")}),)


class StateFilter(admin.SimpleListFilter):
    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("open", "Goes on"), ("over", "Over")]

    def queryset(self, request: HttpRequest, queryset: LoginSessionQuerySet) -> LoginSessionQuerySet:  # type: ignore[override]
        match self.value():
            case "open":
                return queryset.going_on()
            case "over":
                return queryset.over()
        return queryset


@admin.register(LoginSession)
class LoginSessionAdmin(admin.ModelAdmin):
    """Who is signed in. Sessions are not made or changed here; they are ended, by who may change them."""

    list_display = ("user", "created_at", "expires_at", "ended_at")
    list_filter = (StateFilter,)
    list_select_related = ("user",)
    search_fields = ("user__email",)
    search_help_text = "Email"
    ordering = ("-id",)
    list_per_page = 50
    show_full_result_count = False
    fields = readonly_fields = ("user", "created_at", "expires_at", "ended_at")
    actions = ("end",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Sessions go with their user: who may delete that one must not be held up by these."""
        return request.user.has_perm("accounts.delete_user")

    def has_end_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("accounts.change_loginsession")

    @admin.action(description="End the selected sessions", permissions=["end"])
    def end(self, request: HttpRequest, queryset: LoginSessionQuerySet) -> None:
        ended = queryset.end()
        self.message_user(request, f"Ended {ended} of the selected sessions: their tokens are refused from now on.")
