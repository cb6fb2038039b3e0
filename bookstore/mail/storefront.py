"""Links in mails to pages of the storefront, whose paths are settings."""

from typing import Any
from urllib.parse import quote

from django.conf import settings


def storefront_link(page: str, **values: Any) -> str:
    """`storefront_link("verify", token="…")`: the URL of this page of STOREFRONT_URL."""
    path: str = settings.STOREFRONT_PATHS[page]
    filled = path.format(**{name: quote(str(value), safe="") for name, value in values.items()})
    return f"{settings.STOREFRONT_URL}{filled}"
