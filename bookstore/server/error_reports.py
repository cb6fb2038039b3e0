"""Errors to Sentry, with SENTRY_DSN: what the log has as an error, with its traceback, and nothing about the request.

Without the setting this module is not imported. Needs requirements-observability.txt.
"""

import logging
from typing import Any

import sentry_sdk
from django.conf import settings
from sentry_sdk.integrations.logging import LoggingIntegration

from bookstore import __version__
from bookstore.api.middleware import request_id


def without_the_request(event: Any, hint: Any) -> Any:
    """Leaves the traceback, the message and the request's id. Removes bodies, headers, users, values of variables."""
    if event.get("logger") == "django.request" and "exception" not in event:
        return None  # the line that Django writes about a 500 after the one with the traceback
    for name in ("request", "user", "extra", "breadcrumbs", "modules"):
        event.pop(name, None)
    event.setdefault("tags", {})["request_id"] = request_id.get()
    return event


def start(**options: Any) -> None:
    """Once in each process. `options`: of sentry_sdk.init, for tests."""
    sentry_sdk.init(
        dsn=settings.SENTRY_DSN,
        release=__version__,
        # Only the logging integration: Django's would send what a request holds, and patch the handler.
        default_integrations=False,
        auto_enabling_integrations=False,
        integrations=[LoggingIntegration(level=None, event_level=logging.ERROR)],
        before_send=without_the_request,
        data_collection={"user_info": False, "http_bodies": [], "stack_frame_variables": False},
        include_local_variables=False,
        max_breadcrumbs=0,
        traces_sample_rate=None,
        **options,
    )
