"""The introduction of the API's page, and the order of its calls. The settings import it: it imports nothing of Django.

Each app declares its tag: `api_tag` of its AppConfig.
"""

from dataclasses import dataclass
from typing import Any

from bookstore import __version__

INTRODUCTION = """\
The API of a bookstore.

**To try it here:** open *Sign in*, execute it with an account of yours, copy the `access_token` of the answer, and
give it to *Authorize*.

**Errors** all have one body, `{"detail", "code", "field"?}`: a text for a person, a code for the program, and the input
to blame where one is. A 422 lists up to 20 faults in `errors`. Beside what each call lists, a path that does not exist
answers 404 `NOT_FOUND`, a wrong method 405 `METHOD_NOT_ALLOWED`, and a bug 500 `INTERNAL_ERROR`.

**Money** is a string with two places, in the one currency that the cart names. **Times** are ISO 8601 in UTC. Every
answer has an `X-Request-ID`, which names the request in the log; send one to choose it.

**Sent again**, a GET, PUT or DELETE does no harm; what a POST or a PATCH does then, each says.
"""

DEMO = """
**The demo** has `reader@example.com` with the password `demo-reader-shelf` and, to change the catalogue,
`staff@example.com` with `demo-staff-shelf`.
"""


@dataclass(frozen=True, slots=True)
class Tag:
    """The tag of an app's calls in the schema, and its place."""

    name: str
    description: str
    place: int  # sort key among the tags: in the order in which a newcomer needs them
    first: tuple[str, ...] = ()  # paths before the others of the app, which are sorted


SERVICE = Tag("service", "What a load balancer asks.", place=1000)
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


def tags() -> list[Tag]:
    """The tags of all installed apps, sorted."""
    from django.apps import apps

    declared = [config.api_tag for config in apps.get_app_configs() if hasattr(config, "api_tag")]
    return sorted([*declared, SERVICE], key=lambda tag: tag.place)


def tag_of(view: Any) -> Tag:
    """The tag of a view's app."""
    from django.apps import apps

    return getattr(apps.get_containing_app_config(view.__module__), "api_tag", SERVICE)


def order_of(endpoint: tuple[str, str, str, Any]) -> tuple[int, int, str, int]:
    """The sort key for drf-spectacular's SORT_OPERATIONS: by app, then by path, reads before writes."""
    path, _, method, callback = endpoint
    tag = tag_of(callback.cls)
    first = tag.first.index(path) if path in tag.first else len(tag.first)
    return tag.place, first, path, METHODS.index(method)


def spectacular(*, debug: bool) -> dict[str, Any]:
    """The settings of drf-spectacular. With `debug` the introduction names the demo's accounts."""
    return {
        "TITLE": "Bookstore API",
        "DESCRIPTION": INTRODUCTION + (DEMO if debug else ""),
        "DEFAULT_GENERATOR_CLASS": "bookstore.api.schema.ShopSchema",
        "SORT_OPERATIONS": order_of,
        "VERSION": __version__,
        "SERVERS": [{"url": "/", "description": "The host that serves this schema"}],
        "LICENSE": {"name": "MIT", "url": "https://opensource.org/license/mit"},
        "SERVE_INCLUDE_SCHEMA": False,
        "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
        "SERVE_AUTHENTICATION": [],
        "COMPONENT_SPLIT_REQUEST": True,
        "COMPONENT_SPLIT_PATCH": False,  # a PATCH's required fields stay required in the schema
        "PATH_CONVERTER_OVERRIDES": {"id": int},
        "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
        "POSTPROCESSING_HOOKS": [],  # no shared enum components: each error's code is an enum
        "SWAGGER_UI_DIST": "SIDECAR",
        "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
        "SWAGGER_UI_SETTINGS": {
            "deepLinking": True,
            "persistAuthorization": True,
            "displayRequestDuration": True,
            "tryItOutEnabled": True,
            "defaultModelsExpandDepth": 0,
        },
        "SCHEMA_PATH_PREFIX": "/",
    }
