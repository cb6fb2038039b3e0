"""Django's LOGGING: how the application's lines are written. server_log.py has granian's own lines."""

from typing import Any

from pythonjsonlogger.core import RESERVED_ATTRS

# Faults of a client that Django logs as ERROR, with a traceback and what was sent: anybody could fill the log with
# them. Each is a 400 in the request log.
OF_CLIENTS = (
    "DisallowedHost",
    "DisallowedModelAdminLookup",
    "DisallowedModelAdminToField",
    "RequestDataTooBig",
    "SuspiciousMultipartForm",
    "TooManyFieldsSent",
    "TooManyFilesSent",
)


def logging(*, level: str, form: str) -> dict[str, Any]:
    """`level` is LOG_LEVEL; `form` is LOG_FORMAT, `text` or `json`."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "filters": {
            "request_id": {"()": "bookstore.api.middleware.RequestIdFilter"},
            "only_origins": {"()": "bookstore.api.middleware.OnlyOriginsFilter"},
        },
        "formatters": {
            "text": {"format": "%(asctime)s %(levelname)s [%(request_id)s] %(name)s: %(message)s"},
            "json": {
                "()": "pythonjsonlogger.orjson.OrjsonFormatter",
                "fmt": "%(asctime)s %(levelname)s %(name)s %(message)s %(request_id)s",
                "rename_fields": {"asctime": "time", "levelname": "level", "name": "logger"},
                # Django attaches the whole request to its log records; it must not be logged.
                "reserved_attrs": [*RESERVED_ATTRS, "request", "server_time", "status_code"],
            },
        },
        "handlers": {
            "stderr": {"class": "logging.StreamHandler", "formatter": form, "filters": ["request_id"]},
        },
        "root": {"handlers": ["stderr"], "level": "WARNING"},
        "loggers": {
            "bookstore": {"level": level},
            "django": {"handlers": [], "level": "INFO", "propagate": True},
            # Its warnings repeat the request log; its errors are the tracebacks.
            "django.request": {"level": "ERROR"},
            **{f"django.security.{fault}": {"level": "CRITICAL"} for fault in OF_CLIENTS},
            "django.security.csrf": {"filters": ["only_origins"]},
        },
    }
