"""The list of tasks that django-tasks-db brings is no page for staff: what they started is on its own page, and what
operators want to know is in the log and at /metrics.
"""

from django.contrib import admin
from django_tasks_db.models import DBTaskResult

admin.site.unregister(DBTaskResult)
