"""What the tests of the staff's site need to know of an app's pages, which the app says in its `tests/staff_pages.py`:

- `PAGES`: what each of the CALLERS is answered, for each route and method
- `MODELS`: the models whose rows a page may change
- `FORMS`: what a POST sends, by route, where it sends anything
- `ACTIONS`: the action that a POST to a list sends; a deletion where none is named
- `ONLY_LED_ON`: routes whose POST is answered with a redirect, and changes nothing
- `furnish(site)`: makes one object of each kind, `site.objects[route of its list]`, and may add to `site.forms`
"""

from importlib import import_module
from pathlib import Path
from types import ModuleType

from django.apps import apps

CALLERS = ("nobody", "Alice, whose cart it is", "Bob", "Carol, staff", "Dave, staff without permission")
PASSWORD, NEXT_PASSWORD = "correct horse battery", "battery staple horse"
# A redirect to the page of login, and any other: what was asked for is done, or found elsewhere.
LOGIN, DONE = "login", "done"
Answers = tuple[int | str, ...]


def staff(with_permission: int | str, without: int | str) -> Answers:
    """Who is no staff is led to the login, whatever the page."""
    return (LOGIN, LOGIN, LOGIN, with_permission, without)


def pages(get: Answers, post: Answers) -> dict[str, Answers]:
    return {"GET": get, "HEAD": get, "POST": post}


READ, CHANGED = staff(200, 403), staff(DONE, 403)
OF_ALL_STAFF, NONE_TO_ADD = staff(200, 200), staff(403, 403)
NO_SUCH_PAGE, NO_SUCH_METHOD = staff(404, 404), staff(405, 405)
# Django's way to an object's page of change: nothing is behind it.
ELSEWHERE = staff(DONE, DONE)


def of_model(
    name: str,
    *,
    actions: Answers = CHANGED,
    add: dict[str, Answers] | None = None,
    change: Answers = CHANGED,
    delete: Answers | None = None,
    bulk: bool = True,
) -> dict[str, dict[str, Answers]]:
    return {
        f"{name}/": pages(READ, actions),
        f"{name}/add/": add or pages(READ, CHANGED),
        # An action that has not begun: led back to the list, whatever is sent.
        **({f"{name}/bulk/<uuid:key>/": pages(CHANGED, CHANGED)} if bulk else {}),
        f"{name}/<path:object_id>/history/": pages(READ, READ),
        f"{name}/<path:object_id>/delete/": pages(delete or READ, delete or CHANGED),
        f"{name}/<path:object_id>/change/": pages(READ, change),
        f"{name}/<path:object_id>/": pages(ELSEWHERE, ELSEWHERE),
    }


def of_apps() -> list[ModuleType]:
    """The `tests/staff_pages.py` of each installed app that has one; what others stand on comes first."""
    configs = reversed(list(apps.get_app_configs()))
    return [
        import_module(f"{config.name}.tests.staff_pages")
        for config in configs
        if Path(config.path, "tests", "staff_pages.py").exists()
    ]
