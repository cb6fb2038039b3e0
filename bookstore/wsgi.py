"""The WSGI application that the server loads: `bookstore.wsgi:application`."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bookstore.settings")

django_application = get_wsgi_application()

# Only now: these need the settings.
from django.conf import settings  # noqa: E402

from bookstore.api.errors import ServiceUnavailable, json_response  # noqa: E402
from bookstore.overload import InLine, Line  # noqa: E402

refusal = json_response(ServiceUnavailable())
for name, value in {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": settings.SECURE_REFERRER_POLICY,
    "Cross-Origin-Opener-Policy": settings.SECURE_CROSS_ORIGIN_OPENER_POLICY,
    "X-Frame-Options": settings.X_FRAME_OPTIONS,
}.items():
    refusal.headers[name] = value
application = InLine(
    django_application,
    Line(settings.THREADS),
    largest_body=settings.DATA_UPLOAD_MAX_MEMORY_SIZE,
    refusal=(refusal.content, list(refusal.items())),
    longest=settings.REQUEST_TIMEOUT,
)
if settings.METRICS_ENABLED:
    from bookstore.metrics import Metered

    application = Metered(application)  # type: ignore[assignment]
