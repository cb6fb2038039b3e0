"""What only makes it faster. `FAST_PATH=0` turns all of it off: then every call goes by the models' verbs, the ORM and
DRF's serializers, with the same answers.

`compiled.py` compiles a query once, `libpq.py` sends a statement without a cursor, `instances.py` uses serializers and
DRF's parts again. The apps' own fast ways (cart/statements.py, catalog/reading.py) ask `is_on()` first.
"""

from django.conf import settings


def is_on() -> bool:
    return bool(settings.FAST_PATH)
