"""Bodies of the endpoints of /auth."""

from typing import Any

from django.contrib.auth.password_validation import get_default_password_validators, validate_password
from django.core.validators import MinLengthValidator
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from bookstore.accounts.emails import MAX_EMAIL_LENGTH, MailboxValidator, normalise_email
from bookstore.accounts.links import MAX_TOKEN_LENGTH
from bookstore.accounts.models import MAX_NAME_LENGTH, User
from bookstore.accounts.passwords import MAX_PASSWORD_LENGTH, MIN_PASSWORD_LENGTH, UsablePassword
from bookstore.api.fields import OneOfField, TextField, WholeNumberField

RULES = "8 to 128 characters, not only blanks; not a common one, not all digits, not like the email."
# Normalising can shorten a text to a quarter. Longer inputs are refused before they are normalised.
MAX_WRITTEN_LENGTH = 4 * MAX_EMAIL_LENGTH


@extend_schema_field({"type": "string", "maxLength": MAX_EMAIL_LENGTH})
class EmailLikeField(TextField):
    """A text as a normalised email. Checks its length, but not that it is an email."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=MAX_EMAIL_LENGTH, max_written=MAX_WRITTEN_LENGTH, trim_whitespace=False, **options)

    def to_internal_value(self, data: Any) -> str:
        return normalise_email(super().to_internal_value(data))


@extend_schema_field({"type": "string", "format": "email", "maxLength": MAX_EMAIL_LENGTH})
class EmailTextField(EmailLikeField):
    """A valid email, normalised."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.validators.append(MailboxValidator())


class AcceptedPassword(MinLengthValidator):
    """Runs Django's password validators, and reports all their errors at once, also for a short password.

    A MinLengthValidator, so that the schema has the length.
    """

    requires_context = True

    def __init__(self) -> None:
        super().__init__(MIN_PASSWORD_LENGTH)

    def __call__(self, value: str, field: serializers.Field[Any, Any, Any, Any]) -> None:  # type: ignore[override]  # `requires_context`: DRF passes the field, too
        # The email of the signed-in user; else that of the body, not validated yet.
        email = field.context.get("email") or field.parent.initial_data.get("email")
        usable = isinstance(email, str) and len(email) <= MAX_WRITTEN_LENGTH
        # The field itself makes the checks of UsablePassword.
        validators = [each for each in get_default_password_validators() if not isinstance(each, UsablePassword)]
        validate_password(value, User(email=normalise_email(email) if usable else ""), validators)


@extend_schema_field({"type": "string", "format": "password"})
class NewPasswordField(TextField):
    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=MAX_PASSWORD_LENGTH, trim_whitespace=False, visible=True, **options)
        self.validators.append(AcceptedPassword())


class RegisterSerializer(serializers.Serializer[Any]):
    email = EmailTextField()
    password = NewPasswordField(help_text=RULES)


class LoginSerializer(serializers.Serializer[Any]):
    """Two strings. Does not validate the email: an invalid one belongs to nobody."""

    email = EmailLikeField()
    password = TextField(max_length=MAX_PASSWORD_LENGTH, trim_whitespace=False)


class RefreshSerializer(serializers.Serializer[Any]):
    refresh_token = TextField(trim_whitespace=False)


class LogoutSerializer(serializers.Serializer[Any]):
    refresh_token = TextField(trim_whitespace=False, required=False, help_text="Not needed beside a bearer token.")


class ChangePasswordSerializer(serializers.Serializer[Any]):
    old_password = TextField(max_length=MAX_PASSWORD_LENGTH, trim_whitespace=False)
    new_password = NewPasswordField(help_text=RULES)


class PasswordSerializer(serializers.Serializer[Any]):
    password = TextField(max_length=MAX_PASSWORD_LENGTH, trim_whitespace=False)


class ForgotSerializer(serializers.Serializer[Any]):
    email = EmailLikeField()


class LinkTokenField(TextField):
    def __init__(self, **options: Any) -> None:
        super().__init__(
            max_length=MAX_TOKEN_LENGTH, trim_whitespace=False, help_text="Of the link in the mail.", **options
        )


class ResetSerializer(serializers.Serializer[Any]):
    token = LinkTokenField()
    new_password = NewPasswordField(help_text=RULES)


class VerifySerializer(serializers.Serializer[Any]):
    token = LinkTokenField()


class ChangeMeSerializer(serializers.Serializer[Any]):
    """Each is optional: only what is sent changes."""

    name = TextField(max_length=MAX_NAME_LENGTH, visible=True, allow_blank=True, required=False)
    email = EmailTextField(required=False, help_text="Changed when the link in a mail to it comes back.")
    password = TextField(
        max_length=MAX_PASSWORD_LENGTH, trim_whitespace=False, required=False, help_text="Needed beside an email."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "email" in attrs and "password" not in attrs:
            raise serializers.ValidationError(
                {"password": self.fields["password"].error_messages["required"]}, "required"
            )
        return attrs


class MeSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    email = serializers.CharField()
    email_verified = serializers.BooleanField()
    new_email = serializers.CharField(
        allow_null=True, help_text="One that was asked for, and is not confirmed yet by the link in the mail to it."
    )
    name = serializers.CharField(allow_blank=True)
    role = serializers.ChoiceField(choices=["user", "admin"])
    date_joined = serializers.DateTimeField()


class SessionSerializer(serializers.Serializer[Any]):
    created_at = serializers.DateTimeField(help_text="When it was signed in.")
    last_used_at = serializers.DateTimeField(help_text="When it was refreshed last, or signed in.")
    expires_at = serializers.DateTimeField()
    device = serializers.CharField(help_text="The User-Agent, shortened.", allow_blank=True)
    address = serializers.CharField(help_text="The client's address as far as the shop keeps it.", allow_blank=True)


class OwnSessionSerializer(SessionSerializer):
    current = serializers.BooleanField(help_text="Whether this request came with a token of it.")


class NoticeSerializer(SessionSerializer):
    code = serializers.ChoiceField(choices=["AUTH_TOKEN_REUSE"])
    ended_at = serializers.DateTimeField()


class SessionsSerializer(serializers.Serializer[Any]):
    items = OwnSessionSerializer(many=True, help_text="Those that go on, the newest first; at most 100.")
    notices = NoticeSerializer(
        many=True, help_text="Those that ended because a used refresh token came again: somebody may have copied it."
    )


class EndSessionsQuery(serializers.Serializer[Any]):
    ONCE = ("scope",)  # `others` and `all` together would end more, or less, than was meant

    scope = OneOfField(choices=["others", "all"], default="others", help_text="`all` ends this one, too.")


class ExportQuery(serializers.Serializer[Any]):
    page = WholeNumberField(min_value=1, max_value=1_000_000, default=1, help_text="Which page, from 1.")


class ExportSerializer(serializers.Serializer[Any]):
    account = serializers.DictField()
    sessions = serializers.ListField(child=serializers.DictField())
    page = serializers.IntegerField()
    more = serializers.BooleanField(help_text="Whether the next page has more sessions or orders.")


class TokensSerializer(serializers.Serializer[Any]):
    access_token = serializers.CharField(help_text="For the header `Authorization: Bearer …`.")
    refresh_token = serializers.CharField(help_text="Good for one refresh; then its successor is.")
    token_type = serializers.ChoiceField(choices=["bearer"])
    expires_in = serializers.IntegerField(help_text="Seconds until the access token expires.")
