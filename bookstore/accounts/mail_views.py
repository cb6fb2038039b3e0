"""Forgotten passwords and verified emails: /auth/password/forgot, /auth/password/reset, /auth/verify."""

from drf_spectacular.utils import OpenApiExample
from rest_framework.request import Request
from rest_framework.response import Response

from bookstore.accounts.by_mail import ask_for_reset, needs_mail, reset_password, verify
from bookstore.accounts.caller import user_of
from bookstore.accounts.exceptions import EmailConflict, LinkInvalid, MailOff
from bookstore.accounts.mails import verify_email
from bookstore.accounts.serializers import ForgotSerializer, ResetSerializer, VerifySerializer
from bookstore.accounts.throttling import count_attempt
from bookstore.accounts.views import AuthView
from bookstore.api.errors import Throttled
from bookstore.api.operations import errors_of, extend_schema
from bookstore.api.views import ApiView, validated
from bookstore.mail.sending import queue

EMAIL = OpenApiExample("Alice", value={"email": "alice@example.com"}, request_only=True)
TOKEN = OpenApiExample("Of the mail's link", value={"token": "7.1vQ3xh.Zs0…"}, request_only=True)
NEW_PASSWORD = OpenApiExample(
    "A new password", value={"token": "7.1vQ3xh.Zs0…", "new_password": "another horse battery"}, request_only=True
)


class ForgotView(AuthView):
    @extend_schema(
        operation_id="forgot_password",
        tags=["auth"],
        summary="Mail a link that sets a new password",
        request=ForgotSerializer,
        responses={202: None, **errors_of(MailOff, Throttled)},
        examples=[EMAIL],
    )
    def post(self, request: Request) -> Response:
        """Sends a mail with a link to the storefront, whose token goes to POST /auth/password/reset.

        - 202: a mail is sent if somebody has this email; whether, neither the answer nor its time tells.
        - 409 AUTH_MAIL_OFF: this shop sends no mail.
        - 422 VALIDATION_ERROR: there is no email, or it is too long to be one.
        - 429 THROTTLED: too many mails were asked for, from this address or to this email; Retry-After says for how
          long.
        """
        email = validated(ForgotSerializer, request.data)["email"]
        needs_mail()
        attempt = count_attempt(request, "mail", email)
        ask_for_reset(email)
        return Response(status=202, headers=attempt.headers)


class ResetView(AuthView):
    @extend_schema(
        operation_id="reset_password",
        tags=["auth"],
        summary="Set a new password by the token of a mail",
        request=ResetSerializer,
        responses={204: None, **errors_of(LinkInvalid)},
        examples=[NEW_PASSWORD],
    )
    def post(self, request: Request) -> Response:
        """Sets the password and ends every session of the account. The token is good once.

        - 204: the password is set: sign in with it. The email counts as verified.
        - 403 AUTH_LINK_INVALID: the token was used, has expired, or is not complete.
        - 422 VALIDATION_ERROR: something is missing, or the password is too short, too long, too common, all digits or
          too much like the email; one entry in `errors` for each.
        """
        body = validated(ResetSerializer, request.data)
        reset_password(body["token"], body["new_password"])
        return Response(status=204)


class VerifyView(AuthView):
    @extend_schema(
        operation_id="verify_email",
        tags=["auth"],
        summary="Verify an email by the token of a mail",
        request=VerifySerializer,
        responses={204: None, **errors_of(LinkInvalid, EmailConflict)},
        examples=[TOKEN],
    )
    def post(self, request: Request) -> Response:
        """Verifies the email that the mail was sent to. When it is the new one of PATCH /auth/me, it becomes the
        account's email now.

        - 204: it is verified; the same token again changes nothing.
        - 403 AUTH_LINK_INVALID: the token has expired, is not complete, or is for an email that is not wanted any more.
        - 409 AUTH_EMAIL_CONFLICT: somebody else has registered the new email meanwhile.
        - 422 VALIDATION_ERROR: there is no token.
        """
        verify(validated(VerifySerializer, request.data)["token"])
        return Response(status=204)


class ResendView(ApiView):
    @extend_schema(
        operation_id="resend_verification",
        tags=["auth"],
        summary="Mail the link that verifies the email again",
        request=None,
        responses={202: None, **errors_of(MailOff, Throttled)},
    )
    def post(self, request: Request) -> Response:
        """Sends it to the new email, if PATCH /auth/me was asked for one, or to the account's.

        - 202: a mail is sent, unless there is nothing to verify.
        - 409 AUTH_MAIL_OFF: this shop sends no mail.
        - 429 THROTTLED: too many mails were asked for; Retry-After says for how long.
        """
        needs_mail()
        user = user_of(request)
        attempt = count_attempt(request, "mail", user.email)
        queue(verify_email, user.pk)
        return Response(status=202, headers=attempt.headers)
