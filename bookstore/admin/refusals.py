"""Errors as messages on staff's pages: a verb's refusal, or a concurrent change."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import messages
from django.db import IntegrityError
from django.db.models import Model, ProtectedError, RestrictedError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.cache import add_never_cache_headers

from bookstore.api.errors import ApiError
from bookstore.database import sqlstate

View = Callable[..., HttpResponse]

WORDS: dict[type[ApiError], str] = {}


def staff_words(words: dict[type[ApiError], str]) -> None:
    """Registers an app's errors in words for staff. Without an entry staff read the API's text."""
    WORDS.update(words)


def in_staff_words(error: ApiError) -> str:
    return WORDS.get(type(error), str(error.detail))


class Refused(ApiError):
    """A refusal of the admin itself, in words for staff."""

    status_code = 409
    code = "REFUSED"

    def __init__(self, reason: str) -> None:
        super().__init__(reason)


class Gone(ApiError):
    status_code = 404
    code = "NOT_FOUND"

    def __init__(self, row: Model) -> None:
        super().__init__(f"The {row._meta.verbose_name} “{row}” was deleted meanwhile: nothing was changed.")


def lock_or_refuse(row: Model) -> None:
    """SELECT … FOR NO KEY UPDATE of a row before it is saved: `save()` would insert a deleted row again.

    Raises Gone. 1 query.
    """
    # By _meta, because `request.user` is a lazy proxy: its type is not the model.
    rows = row._meta.model._default_manager.select_for_update(no_key=True).filter(pk=row.pk)
    if not rows.exists():
        raise Gone(row)


def refusals_as_messages(view: View) -> View:
    """Decorator: turns an error of a POST into a message. Its transaction is rolled back: nothing was changed."""

    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if "\0" in request.path:  # PostgreSQL's text cannot contain NUL, and a query with one fails
            raise Http404
        try:
            return view(request, *args, **kwargs)
        except (ApiError, IntegrityError) as error:
            reason = reason_of(error)
            if reason is None or request.method != "POST":
                raise
            storage: Any = messages.get_messages(request)
            storage._queued_messages.clear()  # a message of success, added before COMMIT failed
            messages.error(request, reason)
            back = HttpResponseRedirect(request.get_full_path())
            add_never_cache_headers(back)  # Django lets caches store some pages; this one has the email
            return back

    return answer


def reason_of(error: ApiError | IntegrityError) -> str | None:
    """The reason in words for staff; None for a bug. SQLite's errors have no codes, only these texts."""
    if isinstance(error, ApiError):
        return in_staff_words(error) if error.status_code < 500 else None
    if isinstance(error, ProtectedError | RestrictedError):
        return "Nothing was deleted: something that needs it was added meanwhile."
    if sqlstate(error) == "23503" or "FOREIGN KEY constraint failed" in str(error):
        return "Something that belongs to this was added or deleted meanwhile: nothing was changed."
    if sqlstate(error) == "23505" or "UNIQUE constraint failed" in str(error):
        return "Somebody else has just saved another of the same name: nothing was changed."
    return None
