"""Registering, signing in and out, and refreshing. None of these needs a bearer token."""

from contextlib import suppress
from typing import Any

from drf_spectacular.utils import OpenApiExample
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from bookstore.accounts import tokens
from bookstore.accounts.authentication import BearerAuthentication
from bookstore.accounts.devices import client
from bookstore.accounts.exceptions import (
    EmailConflict,
    InvalidCredentials,
    RefreshInvalid,
    TokenExpired,
    TokenInvalid,
    TokenReuse,
)
from bookstore.accounts.models import LoginSession, User
from bookstore.accounts.serializers import (
    LoginSerializer,
    LogoutSerializer,
    RefreshSerializer,
    RegisterSerializer,
    TokensSerializer,
)
from bookstore.accounts.throttling import count_attempt, note_refused
from bookstore.api.errors import Throttled, ValidationError
from bookstore.api.operations import errors_of, extend_schema
from bookstore.api.views import ApiView, validated

CREDENTIALS = OpenApiExample(
    "Alice", value={"email": "alice@example.com", "password": "correct horse battery"}, request_only=True
)
REFRESH_TOKEN = OpenApiExample("Her refresh token", value={"refresh_token": "eyJhbGciOiJIUzI1NiIs…"}, request_only=True)
TOKENS = OpenApiExample(
    "Tokens",
    value={
        "access_token": "eyJhbGciOiJIUzI1NiIs…",
        "refresh_token": "eyJhbGciOiJIUzI1NiIs…",
        "token_type": "bearer",
        "expires_in": 300,
    },
    response_only=True,
)


class AuthView(ApiView):
    authentication_classes = ()
    permission_classes = (AllowAny,)

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:
        """Forbids caches to store tokens (RFC 6749, 5.1)."""
        response.headers["Cache-Control"] = "no-store"
        final: Response = super().finalize_response(request, response, *args, **kwargs)
        return final


class RegisterView(AuthView):
    @extend_schema(
        operation_id="register",
        tags=["auth"],
        summary="Register as a customer",
        request=RegisterSerializer,
        responses={201: TokensSerializer, **errors_of(EmailConflict, Throttled)},
        examples=[CREDENTIALS, TOKENS],
    )
    def post(self, request: Request) -> Response:
        """Makes the customer's account and signs them in.

        - 201: the tokens of a first session.
        - 409 AUTH_EMAIL_CONFLICT: somebody has registered this email, in whatever case.
        - 422 VALIDATION_ERROR: the email is none, or the password is too short, too long, too common, all digits or too
          much like the email; one entry in `errors` for each.
        - 429 THROTTLED: too many attempts from this address or for this email; Retry-After says for how long.
        """
        body = validated(RegisterSerializer, request.data)
        attempt = count_attempt(request, "register", body["email"])
        with attempt.told():
            session = User.objects.register(**body, **client(request))
        return Response(tokens.issue(session), status=201, headers=attempt.headers)


class LoginView(AuthView):
    @extend_schema(
        operation_id="login",
        tags=["auth"],
        summary="Sign in",
        request=LoginSerializer,
        responses={200: TokensSerializer, **errors_of(InvalidCredentials, Throttled)},
        examples=[CREDENTIALS, TOKENS],
    )
    def post(self, request: Request) -> Response:
        """Begins a session, beside those that the user has elsewhere.

        - 200: the tokens of a new session.
        - 401 AUTH_INVALID_CREDENTIALS: nobody has this email, the password is wrong, or the user was deactivated; which
          of them, neither the answer nor its time tells.
        - 422 VALIDATION_ERROR: the email or the password is missing, no text, or too long to be one.
        - 429 THROTTLED: too many attempts from this address or for this email; Retry-After says for how long.
          Sign-ins that succeed do not count against the address. `RateLimit` says how many are left.
        """
        body = validated(LoginSerializer, request.data)
        attempt = count_attempt(request, "login", body["email"])
        try:
            with attempt.told():
                session = User.objects.sign_in(**body, **client(request))
        except InvalidCredentials:
            note_refused(request, body["email"], "API")
            raise
        attempt.succeeded()
        return Response(tokens.issue(session), headers=attempt.headers)


class RefreshView(AuthView):
    @extend_schema(
        operation_id="refresh",
        tags=["auth"],
        summary="Exchange a refresh token for new tokens",
        request=RefreshSerializer,
        responses={200: TokensSerializer, **errors_of(RefreshInvalid, TokenReuse)},
        examples=[REFRESH_TOKEN, TOKENS],
    )
    def post(self, request: Request) -> Response:
        """Goes on with a session. A refresh token is good once: keep the one that comes back.

        When the answer is lost, or two tabs ask at once, the same token gets the same successor for half a minute
        (REFRESH_GRACE_SECONDS).

        - 200: new tokens.
        - 401 AUTH_REFRESH_INVALID: the token is forged, expired or of another kind, its session is over, the password
          was changed, or the user was deleted or deactivated.
        - 401 AUTH_TOKEN_REUSE: the token was used before. Somebody else may have it, so its session is over now; others
          of its user go on.
        - 422 VALIDATION_ERROR: there is no refresh_token, or it is no text.
        """
        body = validated(RefreshSerializer, request.data)
        claims = tokens.read_refresh(body["refresh_token"])
        return Response(tokens.issue(LoginSession.objects.refresh(claims)))


class LogoutView(AuthView):
    @extend_schema(
        operation_id="logout",
        tags=["auth"],
        summary="Sign out",
        request=LogoutSerializer,
        responses={204: None, **errors_of(TokenInvalid, TokenExpired)},
        examples=[REFRESH_TOKEN],
    )
    def post(self, request: Request) -> Response:
        """Ends the session of this refresh token, or of the bearer token when none is in the body: its access tokens
        are refused from now on, too.

        - 204: the session is over. Always with a refresh token: who has none that is good is signed out already.
        - 401 AUTH_TOKEN_INVALID, AUTH_TOKEN_EXPIRED: there is no refresh token, and the bearer token is not good.
        - 422 VALIDATION_ERROR: there is neither a refresh token nor a bearer token.
        """
        body = LogoutSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        raw = body.validated_data.get("refresh_token")
        if raw is None:
            caller = BearerAuthentication().authenticate(request)
            if caller is None:
                fault = {"field": "refresh_token", "code": "required", "detail": "Send this, or a bearer token."}
                raise ValidationError([fault])
            LoginSession.objects.of(caller[1].claims).end()
            return Response(status=204)
        with suppress(RefreshInvalid):
            LoginSession.objects.of(tokens.read_refresh(raw)).end()
        return Response(status=204)
