"""The tokens of clients: JSON Web Tokens, HS256. The only module that uses simplejwt.

Reading a token costs no query and checks only its signature and claims. `User.objects.calling(claims)` and
`LoginSession.objects.refresh(claims)` check its session.
"""

import re
from functools import lru_cache
from time import time
from typing import Any, TypedDict

from django.conf import settings
from django.db.models import BigIntegerField
from rest_framework_simplejwt.backends import TokenBackend
from rest_framework_simplejwt.exceptions import (
    ExpiredTokenError,
    TokenBackendError,
    TokenBackendExpiredToken,
    TokenError,
)
from rest_framework_simplejwt.tokens import AccessToken, RefreshToken, Token

from bookstore import fastpath
from bookstore.accounts.claims import Claims
from bookstore.accounts.exceptions import RefreshInvalid, TokenExpired, TokenInvalid
from bookstore.accounts.models import LoginSession

# Ours have about 400 characters. Longer ones are not parsed: their JSON could be nested without bound.
MAX_LENGTH = 1000
# Unpadded, with a signature of 32 bytes. PyJWT would accept padding, but a token must have one spelling.
SHAPE = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]{43}", re.ASCII)
# Access tokens whose signature was checked, cached in this process: about 1.5 MB when full.
REMEMBERED = 2048
USER_ID = re.compile(r"[1-9][0-9]{0,18}", re.ASCII)
HEX = re.compile(r"[0-9a-f]{32}", re.ASCII)
# Seconds by which the clocks of two hosts may differ: a new token of one host may be from the future by the other's
# clock. Beyond that it is refused as not yet valid; the expiry has no leeway (`read`).
CLOCKS_DIFFER = 60
MAX_ID = BigIntegerField.MAX_BIGINT


class Tokens(TypedDict):
    access_token: str
    refresh_token: str
    token_type: str
    expires_in: int  # seconds until the access token expires


class Keys(TokenBackend):
    """Signs with JWT_SIGNING_KEY. Also accepts JWT_SIGNING_KEY_PREVIOUS, during a key rotation.

    `names` are the accepted issuers (TOKEN_ISSUER); new tokens have the first.
    """

    def __init__(self, signing_key: str, previous_key: str, names: tuple[str, ...]) -> None:
        super().__init__("HS256", signing_key, leeway=CLOCKS_DIFFER)
        self.names = names
        self.previous = TokenBackend("HS256", previous_key, leeway=CLOCKS_DIFFER) if previous_key else None

    def decode(self, token: Token, verify: bool = True) -> dict[str, Any]:
        try:
            return super().decode(token, verify)
        except TokenBackendExpiredToken:  # the signature is valid
            raise
        except TokenBackendError:
            if self.previous is None:
                raise
            return self.previous.decode(token, verify)


@lru_cache(maxsize=2)
def keys(signing_key: str, previous_key: str, names: tuple[str, ...]) -> Keys:
    return Keys(signing_key, previous_key, names)


def keys_of_settings() -> Keys:
    return keys(settings.JWT_SIGNING_KEY, settings.JWT_SIGNING_KEY_PREVIOUS, settings.TOKEN_ISSUERS)


class Access(AccessToken):
    def get_token_backend(self) -> TokenBackend:
        return keys_of_settings()


class Refresh(RefreshToken):
    def get_token_backend(self) -> TokenBackend:
        return keys_of_settings()


class Malformed(ValueError):
    """A valid signature, but not claims that the code below writes."""


def issue(session: LoginSession) -> Tokens:
    """A new access token, and the session's good refresh token. No query if the session's user is loaded."""
    access, refresh = Access(), Refresh()
    for token in (access, refresh):
        token["iss"] = token["aud"] = settings.TOKEN_ISSUERS[0]
        token["sub"] = str(session.user.pk)
        token["role"] = "admin" if session.user.is_staff else "user"
        token["sid"] = session.pk
        if session.identity:
            token["ses"] = session.identity
    # All claims are from the session's row, so that every worker makes the same token again.
    refresh["jti"] = session.refresh_jti
    refresh["exp"] = int(session.expires_at.timestamp())
    refresh["iat"] = int((session.expires_at - refresh.lifetime).timestamp())
    return {
        "access_token": str(access),
        "refresh_token": str(refresh),
        "token_type": "bearer",
        "expires_in": int(access.lifetime.total_seconds()),
    }


def read_access(raw: str) -> Claims:
    """Raises TokenInvalid or TokenExpired."""
    try:
        claims = verified_access(raw, keys_of_settings()) if fastpath.is_on() else read(Access, raw)
    except ExpiredTokenError as error:
        raise TokenExpired from error
    except (TokenError, Malformed) as error:
        raise TokenInvalid from error
    if claims.expires_at <= time():
        raise TokenExpired
    return claims


@lru_cache(maxsize=REMEMBERED)
def verified_access(raw: str, keys: Keys) -> Claims:
    """Caches the claims of tokens with a valid signature; refused tokens are not cached.

    A client sends the same token many times, and its signature stays valid. Everything that can change is checked on
    every request: the expiry by `read_access`, the session and the user by the database.
    """
    return read(Access, raw)


def read_refresh(raw: str) -> Claims:
    """Raises RefreshInvalid."""
    try:
        return read(Refresh, raw)
    except (TokenError, Malformed) as error:
        raise RefreshInvalid from error


def read(kind: type[Token], raw: str) -> Claims:
    if len(raw) > MAX_LENGTH or not SHAPE.fullmatch(raw):
        raise Malformed("not a token of ours")
    try:
        token = kind(raw)  # type: ignore[arg-type]  # simplejwt annotates Token, and takes its text
        expires_at = int(token["exp"])
    except (TypeError, ValueError, OverflowError, OSError) as error:
        raise Malformed("a part of it cannot be read") from error
    if expires_at <= time():
        raise ExpiredTokenError("Token is expired")
    return Claims(
        user_id=user_id_of(token.get("sub")),
        session_id=session_id_of(token.get("sid")),
        identity=identity_of(token),
        jti=hexadecimal(token.get("jti")),
        expires_at=expires_at,
    )


def user_id_of(value: Any) -> int:
    if not isinstance(value, str) or not USER_ID.fullmatch(value) or int(value) > MAX_ID:
        raise Malformed("sub names no user")
    return int(value)


def session_id_of(value: Any) -> int:
    if type(value) is not int or not 0 < value <= MAX_ID:
        raise Malformed("sid names no session")
    return value


def identity_of(token: Token) -> str:
    """The session's identity; "" in a token from before identities existed. Raises Malformed for another issuer:

    a copy of the database, or another shop with the same key, has another name.
    """
    if not {"ses", "iss", "aud"} & token.payload.keys():
        return ""
    names = keys_of_settings().names
    if token.get("iss") not in names or token.get("aud") not in names:
        raise Malformed("made by another deployment, or for one")
    return hexadecimal(token.get("ses")) if "ses" in token else ""


def hexadecimal(value: Any) -> str:
    if not isinstance(value, str) or not HEX.fullmatch(value):
        raise Malformed("jti is none of ours")
    return value
