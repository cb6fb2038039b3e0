"""What staff see and do about users and their sessions."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.admin.forms import AdminPasswordChangeForm as OwnPasswordChangeForm
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.forms import AdminPasswordChangeForm, AdminUserCreationForm, UserChangeForm
from django.contrib.auth.models import Group
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.timezone import now

from bookstore.accounts.emails import normalise_email
from bookstore.accounts.models import LoginSession, LoginSessionQuerySet, User
from bookstore.admin.bulk import BulkActions
from bookstore.admin.conflicts import RefusesConflicts
from bookstore.admin.extensions import Extensible
from bookstore.admin.history import Recorded
from bookstore.admin.lists import BoundedList
from bookstore.admin.refusals import lock_or_refuse
from bookstore.admin.saving import TouchedFieldsOnly
from bookstore.admin.verbs import BulkVerb, Outcome
from bookstore.audit.recording import changed


class SignInForm(AdminAuthenticationForm):
    """Django's says that the case of an email may matter. It says the same to a customer as to nobody, as this does."""

    error_messages = {
        **AdminAuthenticationForm.error_messages,
        "invalid_login": "No member of staff has this email and this password. The case of the password matters.",
    }


class PasswordOnly:
    """For a form that sets a password. Django's writes the whole user, and makes one anew who was deleted meanwhile."""

    def set_password_and_save(self, user: User, *args: Any, commit: bool = True, **kwargs: Any) -> User:
        super().set_password_and_save(user, *args, commit=False, **kwargs)  # type: ignore[misc]
        if commit:
            with transaction.atomic():
                lock_or_refuse(user)
                user.save(update_fields=["password"])
        return user


class PasswordForm(PasswordOnly, AdminPasswordChangeForm):
    """Somebody else's."""


class OwnPasswordForm(PasswordOnly, OwnPasswordChangeForm):
    pass


admin.site.login_form = SignInForm
admin.site.password_change_form = OwnPasswordForm  # bookstore.admin.site asks for it


class CreateUserForm(AdminUserCreationForm):
    class Meta:
        model = User
        fields = ("email",)


class ChangeUserForm(RefusesConflicts, UserChangeForm):
    class Meta:
        model = User
        fields = "__all__"


class GroupFilter(admin.RelatedFieldListFilter):
    """Without the choice of those in no group: nearly everybody, and each of them would be asked (half a second)."""

    include_empty_choice = False


@admin.register(User)
class UserAdmin(TouchedFieldsOnly, Recorded, Extensible, BulkActions, BoundedList, DjangoUserAdmin):
    form = ChangeUserForm
    add_form = CreateUserForm
    change_password_form = PasswordForm
    list_display = ("email", "is_staff", "is_active", "date_joined")
    list_filter = ("is_staff", "is_superuser", "is_active", ("groups", GroupFilter))
    search_fields = ("email",)  # shows the box; get_search_results says what is searched
    search_help_text = "Beginning of the email"
    ordering = ("email",)
    sortable_by = ("email",)
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

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """By the beginning of the email, which an index answers; a part from its middle would read every user."""
        return queryset.filter(email__startswith=normalise_email(search_term.strip())), False


admin.site.unregister(Group)


@admin.register(Group)
class GroupAdmin(TouchedFieldsOnly, Recorded, BulkActions, BoundedList, DjangoGroupAdmin):
    """Django's, whose list and page keep to the same rules as the others."""


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


class EndSessions(BulkVerb):
    name = "end"
    title = "End the selected sessions"
    done = "Ended {}: their tokens are refused from now on."
    permissions = ("end",)

    def preview(self, admin: Any, request: HttpRequest, rows: Any, parameters: Any) -> list[tuple[str, str]]:
        return [(str(row), "ends" if row.ended_at is None else "has ended") for row in rows]

    def run(self, admin: Any, request: HttpRequest, rows: Any, shown: Any, parameters: Any) -> Outcome:
        going_on = [row for row in rows if row.ended_at is None]
        LoginSession.objects.filter(pk__in=[row.pk for row in going_on]).end()
        return Outcome([changed(row, {"ended": (None, now())}) for row in going_on])


@admin.register(LoginSession)
class LoginSessionAdmin(Recorded, BulkActions, BoundedList):
    """Who is signed in. Sessions are not made or changed here; they are ended, by who may change them."""

    list_display = ("user", "created_at", "expires_at", "ended_at")
    list_filter = (StateFilter,)
    list_select_related = ("user",)
    search_fields = ("user__email__startswith",)
    search_help_text = "Beginning of the email"
    ordering = ("-id",)
    sortable_by = ()
    fields = readonly_fields = ("user", "created_at", "expires_at", "ended_at")
    actions = (EndSessions(),)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Sessions go with their user: who may delete that one must not be held up by these."""
        return request.user.has_perm("accounts.delete_user")

    def has_end_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("accounts.change_loginsession")
