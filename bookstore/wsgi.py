"""The WSGI application that the server loads: `bookstore.wsgi:application`."""

import gc
import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bookstore.settings")

django_application = get_wsgi_application()

# Only now: these need the settings.
from django.conf import settings  # noqa: E402

from bookstore.api.request import Utf8Request  # noqa: E402
from bookstore.server.overload import InLine, Line  # noqa: E402
from bookstore.server.refusal import Refusal  # noqa: E402

django_application.request_class = Utf8Request
application = InLine(
    django_application,
    Line(settings.THREADS, for_changes=settings.THREADS),
    largest_body=settings.DATA_UPLOAD_MAX_MEMORY_SIZE,
    refuse=Refusal(),
    longest=settings.REQUEST_TIMEOUT,
)
if settings.METRICS_ENABLED:
    from threading import Thread

    from bookstore.server.metrics import Metered, keep_looking

    Thread(target=keep_looking, args=[application.line], name="metrics of the pool", daemon=True).start()
    application = Metered(application, application.line)  # type: ignore[assignment]

# What is loaded by now stays: a full collection of garbage need not look at it, and hold up a request meanwhile.
gc.collect()
gc.freeze()
