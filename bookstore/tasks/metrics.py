"""Metrics of tasks: the numbers of waiting, running and failed ones on all hosts, read at each scrape."""

from django.db.models import Count
from django_tasks_db.models import DBTaskResult
from prometheus_client import Gauge

from bookstore.server.metrics import registry
from bookstore.server.metrics_at_scrape import at_scrape

STATUSES = {"READY": "waiting", "RUNNING": "running", "FAILED": "failed"}

tasks = Gauge(
    "bookstore_tasks",
    "Background tasks by their state; those that failed are kept for 30 days.",
    ["state"],
    registry=registry,
    multiprocess_mode="livemostrecent",
)


def look() -> None:
    """Reads the numbers. 1 query. A task for later, such as the release of an order, is not waiting before its time."""
    counted = DBTaskResult.objects.filter(status__in=("RUNNING", "FAILED")) | DBTaskResult.objects.ready()
    numbers = dict(counted.order_by().values_list("status").annotate(Count("pk")))
    for status, state in STATUSES.items():
        tasks.labels(state).set(numbers.get(status, 0))


at_scrape.add(look)
