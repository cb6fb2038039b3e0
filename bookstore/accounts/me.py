"""Customers' calls for their own account: /auth/me, /auth/password, /auth/sessions."""

from typing import Any

from drf_spectacular.utils import OpenApiExample
from rest_framework.request import Request
from rest_framework.response import Response

from bookstore.accounts.by_mail import ask_for_email, needs_mail
from bookstore.accounts.caller import caller_of, user_of
from bookstore.accounts.email_changes import EmailChange
from bookstore.accounts.exceptions import (
    EmailConflict,
    MailOff,
    OldPasswordWrong,
    PasswordWrong,
    StaffAccount,
    UserInactive,
)
from bookstore.accounts.models import User
from bookstore.accounts.personal import MOST_SESSIONS, Page, delete_account, export_of
from bookstore.accounts.serializers import (
    ChangeMeSerializer,
    ChangePasswordSerializer,
    EndSessionsQuery,
    ExportQuery,
    ExportSerializer,
    MeSerializer,
    PasswordSerializer,
    SessionsSerializer,
)
from bookstore.accounts.sessions import EndReason
from bookstore.accounts.throttling import count_attempt
from bookstore.api.errors import Throttled
from bookstore.api.operations import errors_of, extend_schema
from bookstore.api.query import read_query
from bookstore.api.views import ApiView, validated

SESSION = {
    "created_at": "2026-11-23T09:05:31.527000Z",
    "last_used_at": "2026-11-24T18:20:00.112000Z",
    "expires_at": "2026-12-01T18:20:00.112000Z",
    "device": "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0",
    "address": "198.51.100.0/24",
}
ALICE = OpenApiExample(
    "Alice",
    value={
        "id": 7,
        "email": "alice@example.com",
        "email_verified": True,
        "new_email": None,
        "name": "Alice",
        "role": "user",
        "date_joined": "2026-11-23T09:05:31.527000Z",
    },
    response_only=True,
)
SESSIONS = OpenApiExample(
    "One session", value={"items": [{**SESSION, "current": True}], "notices": []}, response_only=True
)
EXPORT = OpenApiExample(
    "Alice",
    value={"account": {"id": 7, "email": "alice@example.com"}, "sessions": [], "page": 1, "more": False},
    response_only=True,
)
NEW_PASSWORD = OpenApiExample(
    "A new password",
    value={"old_password": "correct horse battery", "new_password": "another horse battery"},
    request_only=True,
)
HER_NAME = OpenApiExample("Her name", value={"name": "Alice Liddell"}, request_only=True)
HER_NEW_EMAIL = OpenApiExample(
    "Another email", value={"email": "alice@books.example", "password": "correct horse battery"}, request_only=True
)
HER_PASSWORD = OpenApiExample("Her password", value={"password": "correct horse battery"}, request_only=True)


def me_json(user: User) -> dict[str, Any]:
    """One query."""
    change = EmailChange.objects.waiting_of(user)
    me = {
        "id": user.pk,
        "email": user.email,
        "email_verified": user.email_verified,
        "new_email": change and change.new_email,
        "name": user.name,
        "role": "admin" if user.is_staff else "user",
        "date_joined": user.date_joined,
    }
    shown: dict[str, Any] = MeSerializer(me).data
    return shown


class MeView(ApiView):
    deletes_by_body = True  # the password, again

    @extend_schema(
        operation_id="get_me",
        tags=["auth"],
        summary="Who is signed in",
        responses={200: MeSerializer},
        examples=[ALICE],
    )
    def get(self, request: Request) -> Response:
        """The account of this token.

        - 200: the account.
        """
        return Response(me_json(user_of(request)))

    @extend_schema(
        operation_id="change_me",
        tags=["auth"],
        summary="Change the name, or ask for another email",
        request=ChangeMeSerializer,
        responses={200: MeSerializer, **errors_of(PasswordWrong, StaffAccount, EmailConflict, MailOff, Throttled)},
        examples=[HER_NAME, HER_NEW_EMAIL, ALICE],
    )
    def patch(self, request: Request) -> Response:
        """Changes what is sent. An email needs the password: a link goes to the new address (POST /auth/verify), a
        notice to the old one, and the old one stays until the link comes back. Sent again, it sends mails again.

        - 200: the account, with `new_email` while it is not confirmed. The email that it has already takes a wish back.
        - 403 AUTH_PASSWORD_WRONG: this is not the password.
        - 403 AUTH_STAFF_ACCOUNT: the account belongs to the shop's staff, whose email is changed in the admin.
        - 409 AUTH_EMAIL_CONFLICT: somebody has registered this email, in whatever case.
        - 409 AUTH_MAIL_OFF: this shop sends no mail, so no email can be confirmed.
        - 422 VALIDATION_ERROR: the email is none, the password is missing beside it, or something is too long.
        - 429 THROTTLED: too many mails were asked for; Retry-After says for how long.
        """
        body = validated(ChangeMeSerializer, request.data)
        user = user_of(request)
        headers = {}
        if "email" in body:
            needs_mail()
            attempt = count_attempt(request, "mail", user.email)
            with attempt.told():
                ask_for_email(user, body["email"], body["password"])
            headers = attempt.headers
        if "name" in body:
            if not User.objects.filter(pk=user.pk).update(name=body["name"]):
                raise UserInactive  # deleted meanwhile
            user.name = body["name"]
        return Response(me_json(user), headers=headers)

    @extend_schema(
        operation_id="delete_me",
        tags=["auth"],
        summary="Delete the account",
        request=PasswordSerializer,
        responses={204: None, **errors_of(PasswordWrong, StaffAccount, Throttled)},
        examples=[HER_PASSWORD],
    )
    def delete(self, request: Request) -> Response:
        """Deletes the caller's account, cart and sessions for good.

        - 204: it is gone; what the shop has to keep, such as an order, is kept without the person.
        - 403 AUTH_PASSWORD_WRONG: this is not the password.
        - 403 AUTH_STAFF_ACCOUNT: the account belongs to the shop's staff.
        - 422 VALIDATION_ERROR: there is no password, or it is too long to be one.
        - 429 THROTTLED: too many attempts; Retry-After says for how long.
        """
        body = PasswordSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        user = user_of(request)
        attempt = count_attempt(request, "password", user.email)
        with attempt.told():
            delete_account(user, body.validated_data["password"])
        attempt.succeeded()
        return Response(status=204, headers=attempt.headers)


class ExportView(ApiView):
    @extend_schema(
        operation_id="export_me",
        tags=["auth"],
        summary="Everything kept about the caller",
        parameters=[ExportQuery],
        responses={200: ExportSerializer},
        examples=[EXPORT],
    )
    def get(self, request: Request) -> Response:
        """What the shop keeps about the caller, as JSON. Each part of the shop has a key of its own.

        Sessions and orders come 100 at a time, the oldest first: while `more` is true, ask for the next page, too.

        - 200: the account, its sessions, the cart, and so on.
        - 422 VALIDATION_ERROR: this is no number of a page.
        """
        query = read_query(ExportQuery, request.META.get("QUERY_STRING", ""))
        return Response(export_of(user_of(request), Page(query["page"])))


class PasswordView(ApiView):
    @extend_schema(
        operation_id="change_password",
        tags=["auth"],
        summary="Change the password",
        request=ChangePasswordSerializer,
        responses={204: None, **errors_of(OldPasswordWrong, Throttled)},
        examples=[NEW_PASSWORD],
    )
    def post(self, request: Request) -> Response:
        """Takes a new password. Every other session of the account ends; this one goes on with its tokens.

        - 204: the password is changed.
        - 403 AUTH_PASSWORD_WRONG: the old password is another one.
        - 422 VALIDATION_ERROR: a password is missing, or the new one is too short, too long, too common, all digits or
          too much like the email; one entry in `errors` for each.
        - 429 THROTTLED: too many attempts; Retry-After says for how long.
        """
        user = user_of(request)
        body = ChangePasswordSerializer(data=request.data, context={"email": user.email})
        body.is_valid(raise_exception=True)
        attempt = count_attempt(request, "password", user.email)
        session_id = caller_of(request).claims.session_id
        old, new = body.validated_data["old_password"], body.validated_data["new_password"]
        with attempt.told():
            try:
                user.change_password(old, new, session_id=session_id)
            except PasswordWrong as refusal:
                raise OldPasswordWrong from refusal
        attempt.succeeded()
        return Response(status=204, headers=attempt.headers)


class SessionsView(ApiView):
    @extend_schema(
        operation_id="list_sessions",
        tags=["auth"],
        summary="Where the caller is signed in",
        responses={200: SessionsSerializer},
        examples=[SESSIONS],
    )
    def get(self, request: Request) -> Response:
        """The sessions of this account that go on, and those that ended because their refresh token was copied.

        - 200: both lists, the newest first; at most 100 of each.
        """
        current = caller_of(request).claims.session_id
        sessions = user_of(request).sessions.with_last_use().order_by("-pk")
        items: list[Any] = list(sessions.going_on().values()[:MOST_SESSIONS])
        copied = list(sessions.filter(end_reason=EndReason.REUSE).values()[:MOST_SESSIONS])
        found = {
            "items": [{**session, "current": session["id"] == current} for session in items],
            "notices": [{**session, "code": "AUTH_TOKEN_REUSE"} for session in copied],
        }
        return Response(SessionsSerializer(found).data)

    @extend_schema(
        operation_id="end_sessions",
        tags=["auth"],
        summary="Sign out elsewhere, or everywhere",
        parameters=[EndSessionsQuery],
        responses={204: None},
    )
    def delete(self, request: Request) -> Response:
        """Ends the other sessions of this account, or all of them: their tokens are refused from now on.

        - 204: they are over.
        - 422 VALIDATION_ERROR: `scope` is neither `others` nor `all`.
        """
        scope = read_query(EndSessionsQuery, request.META.get("QUERY_STRING", ""))["scope"]
        current = caller_of(request).claims.session_id
        user_of(request).end_sessions(but=0 if scope == "all" else current)
        return Response(status=204)
