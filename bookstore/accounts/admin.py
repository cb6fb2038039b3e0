"""The admin pages of users, groups and sessions."""

from collections.abc import Collection, Mapping
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.forms import AdminUserCreationForm, UserChangeForm
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.timezone import now

from bookstore.accounts.emails import normalise_email
from bookstore.accounts.finding import NEWEST, by_part_of_email
from bookstore.accounts.models import LoginSession, LoginSessionQuerySet, User
from bookstore.accounts.password_forms import DISABLED, OwnPasswordForm, PasswordForm
from bookstore.accounts.sessions import EndReason
from bookstore.accounts.sign_in_time import same_time_for_all
from bookstore.accounts.throttling import count_attempt, note_refused
from bookstore.admin import sign_ins
from bookstore.admin.bulk import BulkActions
from bookstore.admin.conflicts import RefusesConflicts
from bookstore.admin.extensions import Extensible
from bookstore.admin.history import Recorded
from bookstore.admin.lists import BoundedList, note
from bookstore.admin.saving import TouchedFieldsOnly
from bookstore.admin.verbs import BulkVerb, DeleteRows, Outcome
from bookstore.admin.wording import StaffWords
from bookstore.api.errors import Throttled
from bookstore.audit.recording import changed


class SignInForm(StaffWords, AdminAuthenticationForm):
    """Django's sign-in form, which shares the throttle of POST /auth/login, and takes the same time for every refusal.

    The message is the same for a customer and an unknown email. BookstoreAdminSite answers with the status of
    `sign_in_refused`.
    """

    error_messages = {
        **AdminAuthenticationForm.error_messages,
        "invalid_login": "No member of staff has this email and this password. The case of the password matters.",
    }

    def clean(self) -> dict[str, Any]:
        email, password = self.cleaned_data.get("username"), self.cleaned_data.get("password")
        request: Any = self.request
        if not email or not password:
            cleaned: dict[str, Any] = super().clean()
            return cleaned
        try:
            attempt = count_attempt(request, "login", email)
        except Throttled as refusal:
            request.sign_in_refused = refusal
            raise ValidationError(f"{refusal.detail} Nobody was signed in.") from refusal
        try:
            with same_time_for_all(ValidationError, User.hash_of_another_kind):
                cleaned = self.checked(request, email)
        except ValidationError:
            note_refused(request, email, "admin")
            raise
        attempt.succeeded()
        return cleaned

    def checked(self, request: HttpRequest, email: str) -> dict[str, Any]:
        try:
            cleaned: dict[str, Any] = super().clean()
        except ValidationError:
            sign_ins.note_refused(request, normalise_email(email))
            raise
        return cleaned


admin.site.login_form = SignInForm
admin.site.password_change_form = OwnPasswordForm  # bookstore.admin.site asks for it


class TellsOfOneEmail:
    """Mixin for a user's form: names and links who has the email already, beside the field. One query."""

    def clean_email(self) -> str:
        form: Any = self
        email: str = form.cleaned_data["email"]
        other = User.objects.filter(email=email).exclude(pk=form.instance.pk).first()
        if other is not None:
            page = reverse("admin:accounts_user_change", args=[other.pk])
            raise ValidationError(format_html('Another user has this email: <a href="{}">{}</a>.', page, other.email))
        return email


class CreateUserForm(TellsOfOneEmail, StaffWords, AdminUserCreationForm):
    usable_password = AdminUserCreationForm.create_usable_password_field(DISABLED)

    class Meta:
        model = User
        fields = ("email",)


class ChangeUserForm(TellsOfOneEmail, RefusesConflicts, UserChangeForm):
    password = None  # type: ignore[assignment]  # removes Django's field, which shows a part of the hash

    class Meta:
        model = User
        fields = "__all__"

    def _get_validation_exclusions(self) -> set[str]:
        """Leaves out an unchanged email: one from before today's rules hinders no other change."""
        left_out: set[str] = super()._get_validation_exclusions()  # type: ignore[misc]  # the stubs lack it
        return left_out if "email" in self.changed_data else left_out | {"email"}


# Only a superuser changes permissions, and users that have any: whoever sets a password can use its permissions.
RIGHTS = ("is_staff", "is_superuser", "groups", "user_permissions")

UNPROVED = (
    "Nobody has verified {}. If this account was registered in the shop, that may have been somebody else, who knows "
    "its password: set another one."
)


def may_touch(request: HttpRequest, user: User | None) -> bool:
    return request.user.is_superuser or user is None or not (user.is_staff or user.is_superuser)


class GroupFilter(admin.RelatedFieldListFilter):
    """Without the choice “no group”, which matches nearly every user and takes half a second."""

    include_empty_choice = False


class DeleteUsers(DeleteRows):
    def lock_first(self, parameters: Mapping[str, Any], keys: Collection[int]) -> None:
        User.objects.filter(pk__in=keys).lock_superusers_first()


@admin.register(User)
class UserAdmin(TouchedFieldsOnly, Recorded, Extensible, BulkActions, BoundedList, DjangoUserAdmin):
    form = ChangeUserForm
    add_form = CreateUserForm
    change_password_form = PasswordForm
    list_display = ("email", "is_staff", "is_active", "date_joined")
    list_filter = ("is_staff", "is_superuser", "is_active", ("groups", GroupFilter))
    search_fields = ("email",)  # shows the box; get_search_results says what is searched
    search_help_text = "Any part of the email"
    ordering = ("email",)
    sortable_by = ("email",)
    actions = (DeleteUsers(),)
    readonly_fields = ("name", "email_state", "password_state", "password_and_link", "last_login", "date_joined")
    fieldsets = (
        (None, {"fields": ("email", "email_state", "name", "password_state")}),
        ("What they may do", {"fields": ("is_active", "is_staff", "is_superuser", "groups", "user_permissions")}),
        (
            "Since when",
            {"fields": ("date_joined", "last_login"), "description": "Last login: to this site, not to the shop."},
        ),
    )
    add_fieldsets = ((None, {"classes": ("wide",), "fields": ("email", "usable_password", "password1", "password2")}),)

    def lock_for_saving(self, request: HttpRequest, key: int) -> bool:
        """Locks the superusers before one of them. Two queries, three for a superuser."""
        User.objects.filter(pk=key).lock_superusers_first()
        return super().lock_for_saving(request, key)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        fields = super().get_readonly_fields(request, obj)
        return fields if request.user.is_superuser else (*fields, *RIGHTS)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and may_touch(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and may_touch(request, obj)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Leaves out the link to the password page for staff with only the view permission."""
        fieldsets = super().get_fieldsets(request, obj)
        if obj is None or not self.has_change_permission(request, obj):
            return fieldsets
        return ((None, {"fields": ("email", "email_state", "name", "password_and_link")}), *fieldsets[1:])

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Warns of a customer who becomes staff and may be somebody else than the email says."""
        super().save_model(request, obj, form, change)
        rights = [name for name in ("is_staff", "is_superuser") if name in form.changed_data and getattr(obj, name)]
        if change and rights and not obj.email_verified:
            messages.warning(request, UNPROVED.format(obj.email))

    @admin.display(description="email verified", boolean=True)
    def email_state(self, user: User) -> bool:
        """Whether the customer has opened the link in a mail to this address."""
        return user.email_verified

    @admin.display(description="password")
    def password_state(self, user: User) -> str:
        """Without the part of the hash that Django would show."""
        return "Set" if user.has_usable_password() else "None: this user cannot sign in"

    @admin.display(description="password")
    def password_and_link(self, user: User) -> str:
        page = reverse("admin:auth_user_password_change", args=[user.pk])
        return format_html('{}. <a href="{}">Set another password</a>', self.password_state(user), page)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Searches for any part of the email. Three queries more."""
        if not search_term.strip():
            return queryset, False
        found = by_part_of_email(search_term)
        if found.is_cut:
            note(request, f"Beyond the beginning of the email, the newest {NEWEST:,} users were searched.")
        return queryset.filter(pk__in=found.ids), False


admin.site.unregister(Group)


@admin.register(Group)
class GroupAdmin(TouchedFieldsOnly, Recorded, BulkActions, BoundedList, DjangoGroupAdmin):
    """Django's, with our bounded lists and saving. Only a superuser changes a group's permissions."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.is_superuser)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.is_superuser)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.is_superuser)


class StateFilter(admin.SimpleListFilter):
    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("open", "Goes on"), ("over", "Over")]

    def queryset(self, request: HttpRequest, queryset: LoginSessionQuerySet) -> LoginSessionQuerySet:  # type: ignore[override]  # only for lists of this model
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
        LoginSession.objects.filter(pk__in=[row.pk for row in going_on]).end(EndReason.STAFF)
        return Outcome([changed(row, {"ended": (None, now())}) for row in going_on])


@admin.register(LoginSession)
class LoginSessionAdmin(Recorded, BulkActions, BoundedList):
    """The customers' sessions. Read-only, except that staff with the change permission can end them."""

    list_display = ("user", "created_at", "expires_at", "ended_at")
    list_filter = (StateFilter,)
    list_select_related = ("user",)
    search_fields = ("user__email__startswith",)
    search_help_text = "Beginning of the email"
    ordering = ("-id",)
    sortable_by = ()
    fields = readonly_fields = ("user", "created_at", "expires_at", "ended_at")
    actions = (EndSessions(), DeleteRows())

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Deleting a user deletes its sessions: the permission to delete users is enough."""
        return request.user.has_perm("accounts.delete_user")

    def has_end_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("accounts.change_loginsession")
