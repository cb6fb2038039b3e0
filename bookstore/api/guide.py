"""What the API's page says before its calls, and their order. The settings read it: it imports nothing of Django."""

from typing import Any

INTRODUCTION = """\
The catalogue and the carts of a bookstore.

**To try it here:** open *Sign in*, execute it with an account of yours, copy the `access_token` of the answer, and
give it to *Authorize*.

**Errors** all have one body, `{"detail", "code", "field"?}`: a text for a person, a code for the program, and the input
to blame where one is. A 422 lists every fault in `errors`. Beside what each call lists, a path that does not exist
answers 404 `NOT_FOUND`, a wrong method 405 `METHOD_NOT_ALLOWED`, and a bug 500 `INTERNAL_ERROR`.

**Money** is a string with two places, in the one currency that the cart names. **Times** are ISO 8601 in UTC. Every
answer has an `X-Request-ID`, which names the request in the log; send one to choose it.

**Sent again**, a GET, PUT, PATCH, DELETE or merge does no harm. An add that is sent again answers 409
`CART_ITEM_DUPLICATE` with the `item_id` of the line that is there.
"""

DEMO = """
**The demo** has `reader@example.com` with the password `demo-reader-shelf` and, to change the catalogue,
`staff@example.com` with `demo-staff-shelf`.
"""

# In the order in which a newcomer needs them.
TAGS = [
    {
        "name": "auth",
        "description": "Register, sign in and out. Access tokens last minutes, refresh tokens days; a refresh token is "
        "good once.",
    },
    {"name": "catalogue", "description": "Find books and genres. Everybody reads; staff with the permission write."},
    {
        "name": "cart",
        "description": "The caller's own cart. Each line says in `issues` what has changed since it was put there.",
    },
    {"name": "service", "description": "What a load balancer asks."},
]

PATHS = ("/auth/register", "/auth/login", "/auth/", "/books", "/genres", "/cart", "/health", "/ready")
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


def order_of(endpoint: tuple[str, str, str, Any]) -> tuple[int, str, int]:
    """Registering comes before signing in, and reading before writing."""
    path, _, method, _ = endpoint
    place = next((number for number, start in enumerate(PATHS) if path.startswith(start)), len(PATHS))
    return place, path, METHODS.index(method)
