"""Liveness and readiness, for load balancers."""

import os
import shutil
from pathlib import Path

from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from drf_spectacular.utils import OpenApiExample, inline_serializer
from rest_framework import serializers
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from bookstore import __version__
from bookstore.api.errors import ServiceUnavailable
from bookstore.api.operations import errors_of, extend_schema
from bookstore.api.views import ApiView
from bookstore.server import draining, proxy_check

STATUS = inline_serializer("Status", {"status": serializers.CharField(), "version": serializers.CharField()})

WELL = OpenApiExample("All is well", value={"status": "ok", "version": __version__}, response_only=True)


ALIVE = {"status": "ok", "version": __version__}


# Also true on a standby, such as a demoted primary.
WRITABLE = {"postgresql": "SHOW transaction_read_only", "sqlite": "PRAGMA query_only"}
READ_ONLY = ("on", 1)


# Bytes of free disk that SQLite needs for the journal of a transaction.
ROOM = 5_000_000


def file_can_grow(name: object) -> bool:
    """Whether SQLite can write its file and the journal. PostgreSQL reports by itself that it is read-only."""
    path = Path(str(name))
    if not path.is_absolute():  # in memory
        return True
    return os.access(path, os.W_OK) and os.access(path.parent, os.W_OK) and shutil.disk_usage(path.parent).free > ROOM


class ProbeView(ApiView):
    authentication_classes = ()
    permission_classes = (AllowAny,)


class HealthView(ProbeView):
    @extend_schema(
        operation_id="health",
        tags=["service"],
        summary="Say that the process lives",
        responses={200: STATUS},
        examples=[WELL],
    )
    def get(self, request: Request) -> Response:
        """Answers without asking the database: a process that cannot answer this is to be restarted.

        - 200: it lives.
        """
        return Response(ALIVE, headers=proxy_check.answer(request))


class ReadyView(ProbeView):
    # Migrations are applied before a process starts, so once seen complete they are not read again.
    migrated = False

    @extend_schema(
        operation_id="ready",
        tags=["service"],
        summary="Say whether requests can be served",
        responses={200: STATUS, **errors_of(ServiceUnavailable)},
        examples=[WELL],
    )
    def get(self, request: Request) -> Response:
        """For the load balancer.

        - 200: the database answers, can be written to, and every migration is applied.
        - 503 SERVICE_UNAVAILABLE: else, and when this host is about to stop; send requests elsewhere.
        """
        if draining.begun():
            raise ServiceUnavailable("This host is about to stop.")
        try:
            with connection.cursor() as cursor:
                cursor.execute(WRITABLE[connection.vendor])
                (read_only,) = cursor.fetchone()
            if read_only in READ_ONLY:
                connection.close()  # the next connection may go to a server that took over
                raise ServiceUnavailable("The database is read-only.")
            if connection.vendor == "sqlite" and not file_can_grow(connection.settings_dict["NAME"]):
                raise ServiceUnavailable("The disk of the database is full or read-only.")
            if not ReadyView.migrated:
                executor = MigrationExecutor(connection)
                ReadyView.migrated = not executor.migration_plan(executor.loader.graph.leaf_nodes())
        except DatabaseError as error:
            raise ServiceUnavailable("The database does not answer.") from error
        if not ReadyView.migrated:
            raise ServiceUnavailable("The database lacks migrations: run `manage.py migrate`.")
        return Response(ALIVE)
