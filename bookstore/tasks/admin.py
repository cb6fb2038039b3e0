"""Unregisters the admin page of django-tasks-db: staff see their imports and actions on their own pages, and operators
use the log and /metrics.
"""

from django.contrib import admin
from django_tasks_db.models import DBTaskResult

admin.site.unregister(DBTaskResult)
