"""The WSGI application that the server loads: `bookstore.wsgi:application`."""

import gc
import os
from typing import Any

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bookstore.settings")

django_application = get_wsgi_application()

# Imported after the settings are ready.
from django.conf import settings  # noqa: E402

from bookstore.api.request import Utf8Request  # noqa: E402
from bookstore.server import watch  # noqa: E402
from bookstore.server.admission import Admission  # noqa: E402
from bookstore.server.direct import DirectReads  # noqa: E402
from bookstore.server.refusal import Refusal  # noqa: E402
from bookstore.server.slots import Slots  # noqa: E402

django_application.request_class = Utf8Request
if settings.METRICS_ENABLED:
    from bookstore.server import metrics

    direct = DirectReads(django_application, metrics.measuring)
else:
    direct = DirectReads(django_application)
application: Any = Admission(
    direct,
    Slots(settings.THREADS, for_changes=settings.THREADS, for_staff=1),
    largest_body=settings.DATA_UPLOAD_MAX_MEMORY_SIZE,
    largest_upload=settings.LARGEST_UPLOAD,
    refuse=Refusal(),
    longest=settings.REQUEST_TIMEOUT,
)
watch.start(application)
if settings.METRICS_ENABLED:
    from threading import Thread

    Thread(target=metrics.keep_sampling, args=[application.slots], name="metrics of the slots", daemon=True).start()
    application = metrics.Metered(application, application.slots)

if settings.TRACES_ENDPOINT:
    from bookstore.server import traces

    traces.start()
    application = traces.Traced(application)
if settings.SENTRY_DSN:
    from bookstore.server import error_reports

    error_reports.start()

# Freezes all objects loaded so far, so that full garbage collections skip them and pause requests for less time.
gc.collect()
gc.freeze()
