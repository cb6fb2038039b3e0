"""The errors of accounts, each with the contract's status, code and field."""

from bookstore.api.errors import ApiError


class TokenInvalid(ApiError):
    status_code = 401
    code = "AUTH_TOKEN_INVALID"
    message = "This access token is not valid (any more): refresh it, or sign in again."


class TokenExpired(ApiError):
    status_code = 401
    code = "AUTH_TOKEN_EXPIRED"
    message = "This access token has expired: refresh it."


class SessionOver(ApiError):
    """Separate from TokenInvalid, so that a client does not try to refresh."""

    status_code = 401
    code = "AUTH_SESSION_OVER"
    message = "The session of this token is over: sign in again."


class UserInactive(ApiError):
    status_code = 401
    code = "AUTH_USER_INACTIVE"
    message = "The user of this token was deleted or deactivated."


class InvalidCredentials(ApiError):
    """One message for all reasons, so that it does not reveal which emails are registered."""

    status_code = 401
    code = "AUTH_INVALID_CREDENTIALS"
    message = "Invalid email or password"


class RefreshInvalid(ApiError):
    status_code = 401
    code = "AUTH_REFRESH_INVALID"
    message = "This refresh token is not valid (any more): sign in again."


class TokenReuse(ApiError):
    status_code = 401
    code = "AUTH_TOKEN_REUSE"
    message = "This refresh token was used before, so its session is over: sign in again."


class EmailConflict(ApiError):
    status_code = 409
    code = "AUTH_EMAIL_CONFLICT"
    message = "This email is registered already."
    field = "email"


class LastSuperuser(ApiError):
    status_code = 409
    code = "LAST_SUPERUSER"
    message = "Nothing was changed: nobody who may do everything would be left. Make somebody else a superuser first."


class PasswordWrong(ApiError):
    """403, because a 401 would make a signed-in client refresh its token."""

    status_code = 403
    code = "AUTH_PASSWORD_WRONG"
    message = "This is not the password of this account."
    field = "password"


class OldPasswordWrong(PasswordWrong):
    field = "old_password"  # its name in the body of POST /auth/password


class StaffAccount(ApiError):
    status_code = 403
    code = "AUTH_STAFF_ACCOUNT"
    message = "This account belongs to the shop's staff: a superuser changes it, in the admin."


class EmailUnverified(ApiError):
    status_code = 403
    code = "AUTH_EMAIL_UNVERIFIED"
    message = "Verify your email first: the link is in the mail that was sent to you."


class LinkInvalid(ApiError):
    """403, because a 401 would make a signed-in client refresh its token."""

    status_code = 403
    code = "AUTH_LINK_INVALID"
    message = "This link was used already, has expired, or is not complete: ask for a new one."
    field = "token"


class MailOff(ApiError):
    status_code = 409
    code = "AUTH_MAIL_OFF"
    message = "This shop sends no mail."
