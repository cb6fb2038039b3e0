"""The counts of attempts, one row for each address and account that has made some: throttling.py counts here."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db import models
from django.db.models.functions import Now


class ThrottleWindowQuerySet(models.QuerySet["ThrottleWindow"]):
    def expired(self) -> ThrottleWindowQuerySet:
        return self.filter(expires_at__lte=Now())

    def with_time_left(self) -> ThrottleWindowQuerySet:
        """Adds `left`, a timedelta by the database's clock, the one that all hosts share."""
        left = models.ExpressionWrapper(models.F("expires_at") - Now(), output_field=models.DurationField())
        return self.annotate(left=left)

    def counts(self) -> list[tuple[int, timedelta]]:
        """How many attempts each window has counted, and how long it goes on. Behind `with_time_left`. One query."""
        found: list[Any] = list(self.values_list("count", "left"))
        return found


class ThrottleWindow(models.Model):
    """How many attempts of one kind one address, or one account, has made since the window began."""

    # An HMAC of whom is counted: no address and no email is kept.
    key = models.CharField(max_length=64, primary_key=True)
    count = models.PositiveIntegerField()
    expires_at = models.DateTimeField()

    objects = ThrottleWindowQuerySet.as_manager()

    class Meta:
        db_table = "throttle_windows"
        default_permissions = ()  # nobody looks at them in the admin

    def __str__(self) -> str:
        return f"{self.count} attempts until {self.expires_at:%H:%M:%S}"
