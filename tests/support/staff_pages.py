"""The admin pages of all apps, for the tests of the staff's site. Each app declares its own in `tests/staff_pages.py`:

- `PAGES`: the answer for each of the CALLERS, by route and method
- `MODELS`: the models whose rows a page may change
- `FORMS`: the data of a POST, by route
- `ACTIONS`: the action of a POST to a list; by default a deletion
- `ONLY_LED_ON`: routes whose POST only redirects and changes nothing
- `furnish(site)`: creates one object of each kind, `site.objects[route of its list]`, and may add to `site.forms`
"""

from importlib import import_module
from pathlib import Path
from types import ModuleType

from django.apps import apps

CALLERS = ("nobody", "Alice, whose cart it is", "Bob", "Carol, staff", "Dave, staff without permission")
PASSWORD, NEXT_PASSWORD = "correct horse battery", "battery staple horse"
# A redirect to the sign-in, and any other redirect.
LOGIN, DONE = "login", "done"
Answers = tuple[int | str, ...]


def staff(with_permission: int | str, without: int | str) -> Answers:
    """Others than staff are redirected to the sign-in."""
    return (LOGIN, LOGIN, LOGIN, with_permission, without)


def pages(get: Answers, post: Answers) -> dict[str, Answers]:
    return {"GET": get, "HEAD": get, "POST": post}


READ, CHANGED = staff(200, 403), staff(DONE, 403)
OF_ALL_STAFF, NONE_TO_ADD = staff(200, 200), staff(403, 403)
NO_SUCH_PAGE, NO_SUCH_METHOD = staff(404, 404), staff(405, 405)
# Django's redirect to the page that changes an object.
ELSEWHERE = staff(DONE, DONE)


def of_model(
    name: str,
    *,
    actions: Answers | None = None,
    add: dict[str, Answers] | None = None,
    change: Answers = CHANGED,
    delete: Answers | None = None,
    bulk: bool = True,
) -> dict[str, dict[str, Answers]]:
    """The pages of a model. With `bulk` its admin derives from BulkActions, and an action on its list redirects."""
    return {
        f"{name}/": pages(READ, actions or (CHANGED if bulk else READ)),
        f"{name}/add/": add or pages(READ, CHANGED),
        # An unknown action redirects to the list.
        **({f"{name}/bulk/<uuid:key>/": pages(CHANGED, CHANGED)} if bulk else {}),
        f"{name}/<path:object_id>/history/": pages(READ, READ),
        f"{name}/<path:object_id>/delete/": pages(delete or READ, delete or CHANGED),
        f"{name}/<path:object_id>/change/": pages(READ, change),
        f"{name}/<path:object_id>/": pages(ELSEWHERE, ELSEWHERE),
    }


def of_apps() -> list[ModuleType]:
    """The `tests/staff_pages.py` of each installed app that has one, lower apps first."""
    configs = reversed(list(apps.get_app_configs()))
    return [
        import_module(f"{config.name}.tests.staff_pages")
        for config in configs
        if Path(config.path, "tests", "staff_pages.py").exists()
    ]
