"""A worker imports what only some requests need at the first of them: its memory is that of all workers."""

import os
import subprocess
import sys

LATER = {
    "catalog.importing.steps",
    "drf_spectacular.generators",
    "drf_spectacular.openapi",
    "drf_spectacular.plumbing",
    "opentelemetry",
    "prometheus_client",
    "python_calamine",
    "rapidfuzz",
    "sentry_sdk",
    "smtplib",
    "sqlite3",
    "stdnum",
    "xlsxwriter",
}
START = """
import sys
from bookstore.wsgi import application
from django.urls import get_resolver
get_resolver().url_patterns
print(*sys.modules)
"""


def test_a_worker_starts_without_what_only_some_requests_need():
    production = {
        "DEBUG": "0",
        "ALLOWED_HOSTS": "shop.example",
        "SECRET_KEY": "a-key-of-the-pages-" * 4,
        "JWT_SIGNING_KEY": "a-key-of-the-tokens-" * 4,
        "DATABASE_URL": "postgresql://shop@127.0.0.1:1/shop",  # not connected to
    }
    kept = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH") if name in os.environ}

    started = subprocess.run([sys.executable, "-c", START], env=kept | production, capture_output=True, text=True)

    assert (started.returncode, started.stderr) == (0, "")
    assert LATER & set(started.stdout.split()) == set()
