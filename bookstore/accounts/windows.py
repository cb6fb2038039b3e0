"""The throttle's counters: one row for each address and account with attempts (throttling.py)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db import models
from django.db.models.functions import Now


class ThrottleWindowQuerySet(models.QuerySet["ThrottleWindow"]):
    def expired(self) -> ThrottleWindowQuerySet:
        return self.filter(expires_at__lte=Now())

    def with_time_left(self) -> ThrottleWindowQuerySet:
        """Adds `left`, a timedelta by the database's clock, which all hosts share."""
        left = models.ExpressionWrapper(models.F("expires_at") - Now(), output_field=models.DurationField())
        return self.annotate(left=left)

    def counts(self) -> list[tuple[int, timedelta]]:
        """Attempts and time left of each window. Call it after `with_time_left`. One query."""
        found: list[Any] = list(self.values_list("count", "left"))
        return found


class ThrottleWindow(models.Model):
    """The attempts of one kind by one address, or at one account, since the window began."""

    # An HMAC of the address or email, which are not stored.
    key = models.CharField(max_length=64, primary_key=True)
    count = models.PositiveIntegerField()
    expires_at = models.DateTimeField()

    objects = ThrottleWindowQuerySet.as_manager()

    class Meta:
        db_table = "throttle_windows"
        default_permissions = ()  # not shown in the admin

    def __str__(self) -> str:
        return f"{self.count} attempts until {self.expires_at:%H:%M:%S}"
