"""docs/openapi.json: the OpenAPI schema as it is committed. `make docs` writes it, and a test compares.

DEBUG=1 python -m tools.openapi
"""

import json
import os
from pathlib import Path

FILE = Path(__file__).resolve().parent.parent / "docs" / "openapi.json"


def text() -> str:
    """The schema of a shop with the default settings, without the demo's texts. Needs django.setup()."""
    from bookstore.api import guide
    from bookstore.api.schema import ShopSchema

    schema = ShopSchema().get_schema(request=None, public=True)
    schema["info"]["description"] = guide.INTRODUCTION
    return json.dumps(schema, indent=1, ensure_ascii=False, default=str) + "\n"


if __name__ == "__main__":
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bookstore.settings")
    django.setup()
    FILE.write_text(text(), "utf-8")
