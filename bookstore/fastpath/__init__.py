"""Optimisations only. `FAST_PATH=0` switches all of them off: every call then uses the models' verbs, the ORM and DRF's
serializers, with the same responses.

`compiled.py` compiles a query once, `libpq.py` sends a statement without a cursor, `instances.py` reuses serializers
and objects of DRF. The apps' own fast paths (cart/statements.py, catalog/reading.py) check `is_on()` first.
"""

from django.conf import settings


def is_on() -> bool:
    return bool(settings.FAST_PATH)
