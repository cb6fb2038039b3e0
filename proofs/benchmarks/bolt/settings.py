"""The models and the database of plain/, served by django-bolt."""

from proofs.benchmarks.plain.settings import *  # noqa: F403  # the one difference is below
from proofs.benchmarks.plain.settings import INSTALLED_APPS as OF_PLAIN

INSTALLED_APPS = [*OF_PLAIN, "django_bolt"]
BOLT_API = ["proofs.benchmarks.bolt.api:api"]
