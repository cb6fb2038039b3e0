"""A request that fails outside of Django's handler is answered and logged like any other bug."""

import json
import subprocess
import sys
import time
from wsgiref.util import setup_testing_defaults

import pytest

from bookstore.api.errors import InternalError
from bookstore.server.refusal import Refusal
from tests.support.server import ROOT

# The application of bookstore/wsgi.py, whose request cannot be made.
BROKEN = """
from wsgiref.util import setup_testing_defaults
from bookstore import wsgi

def broken(environ):
    raise LookupError("a secret detail")

wsgi.django_application.request_class = broken
for path in ("/health", "/cart"):
    environ = {"PATH_INFO": path, "HTTP_X_REQUEST_ID": "order-7"}
    setup_testing_defaults(environ)
    body = wsgi.application(environ, lambda status, headers, *rest: print(status, dict(headers)["X-Request-ID"]))
    print(b"".join(body).decode())
"""


def test_failure_is_the_envelope_of_500_with_the_usual_headers(caplog):
    environ, answer = {"HTTP_X_REQUEST_ID": "order-7"}, {}
    setup_testing_defaults(environ)

    try:
        raise LookupError("a secret detail")
    except LookupError:
        body = Refusal()(
            environ,
            lambda status, headers, error: answer.update(status=status, headers=dict(headers), error=error[0]),
            time.perf_counter(),
            InternalError(),
        )

    assert json.loads(b"".join(body)) == InternalError().envelope()
    assert (answer["status"], answer["error"]) == ("500 Internal Server Error", LookupError)
    assert answer["headers"].keys() >= {"X-Frame-Options", "X-Content-Type-Options", "Referrer-Policy", "Cache-Control"}
    assert answer["headers"]["X-Request-ID"] == "order-7"
    assert "LookupError: a secret detail" in caplog.text


@pytest.mark.slow
def test_the_application_answers_when_no_request_can_be_made():
    environment = {"DEBUG": "1", "LOG_LEVEL": "INFO", "LOG_FORMAT": "text"}

    ran = subprocess.run(
        [sys.executable, "-c", BROKEN], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )

    assert (
        ran.stdout.splitlines()
        == ["500 Internal Server Error order-7", json.dumps(InternalError().envelope(), separators=(",", ":"))] * 2
    )
    assert ran.stderr.count("LookupError: a secret detail") == 2
    assert "[order-7] bookstore.request: GET /health 500" in ran.stderr
    assert "[order-7] bookstore.request: GET /cart 500" in ran.stderr
